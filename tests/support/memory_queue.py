"""A queue in memory and the poller before a function, for bursts and for invocations that end without an answer."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.support.chain import sqs_event

MAX_RECEIVES = 12  # as deploy/upload-queue.yml has it; a test compares them


class Killed(BaseException):
    """The process ended: out of memory, out of time. Nobody catches it."""


class MemoryQueue:
    """Gives messages in disorder; one that was received too often goes to `failed`, the dead-letter queue."""

    def __init__(self, bodies: dict[str, str], seed: int | None = None) -> None:
        self.receives: Counter[str] = Counter()
        self.failed: list[str] = []
        self._bodies, self._waiting = bodies, list(bodies)
        self._random = random.Random(seed) if seed is not None else None

    def drain(self, handle: Callable[[dict[str, Any]], dict[str, Any]], batch: int = 10) -> int:
        """Poll until nothing is left to deliver; return how many invocations were killed."""
        kills = 0
        while ids := self._receive(batch):
            try:
                answer = handle(sqs_event([self._message(id) for id in ids]))
            except Killed:
                kills += 1
                self._waiting += ids
            else:
                self._waiting += [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        return kills

    def _receive(self, at_most: int) -> list[str]:
        if self._random:
            self._random.shuffle(self._waiting)
        received: list[str] = []
        while self._waiting and len(received) < at_most:
            id = self._waiting.pop(0)
            self.receives[id] += 1
            (self.failed if self.receives[id] > MAX_RECEIVES else received).append(id)
        return received

    def _message(self, id: str) -> dict[str, Any]:
        count = {"ApproximateReceiveCount": str(self.receives[id])}
        return {"MessageId": id, "ReceiptHandle": "", "Body": self._bodies[id], "Attributes": count}
