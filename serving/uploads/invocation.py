"""What is granted for an event: a name in the log, and time."""

from collections.abc import Callable
from dataclasses import dataclass

from serving.uploads.events import Message

LAST_START_MS = 5000  # with less than this left of the invocation no message is begun; one takes about 100 ms


@dataclass(frozen=True)
class Invocation:
    """What Lambda grants, or whoever brings events over HTTP."""

    id: str
    time_left: Callable[[], int]  # ms
    granted: int  # ms; what was left at its begin

    def begins(self, message: Message) -> bool:
        """Whether there is time for it: a suspect that ends the invocation must have had a fair share of it."""
        return self.time_left() >= (LAST_START_MS if message.receives == 1 else max(LAST_START_MS, self.granted // 2))

    def entry(self, message: Message) -> dict[str, object]:
        """What each line in the log on a message begins with."""
        entry: dict[str, object] = {"request_id": self.id, "message_id": message.id}
        return entry | ({"receives": message.receives} if message.receives > 1 else {})
