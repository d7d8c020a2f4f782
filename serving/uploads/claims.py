"""What tells an upload that ends invocations from those that were received together with it.

A message that was received before may have ended the invocation that had it: out of memory, out of time. Such a suspect is tried
alone, and a claim is written before it is and given back after it. A claim that still stands when the message comes again was
never given back: nothing but this upload was at work when that invocation ended, and it is not tried a third time. What ends
an invocation from outside, in the tenth of a second that a claim is held, is taken for the upload's doing.

How many receives that takes, however messages are put together. A message of the first receive runs beside others, and what ends
them all is not known: one receive is lost. From then on suspects go first, one by one, those with the most receives ahead, so that
a message comes to nothing only where an upload ahead of it ends the invocation, and each upload does that once: its claim stands
from then on. With k such uploads among its companions a message therefore needs at most 1 + k receives that come to nothing and
one that settles it, and each of the k the same: k + 2 in all. A batch has 10 messages at most, so maxReceiveCount is 12.

Claims lie beside the results, in `claims-<results prefix>`, and expire there: nothing needs the right to delete.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from model.errors import StoreForbidden, StoreUnavailable
from model.stores.addresses import address_of
from serving.errors import FatalImage, ObjectNotFound
from serving.results import result_key
from serving.s3 import kept, read_kept, until_taken
from serving.schemas import UploadedObject
from serving.uploads.events import Message

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FATAL = (
    "this image ended the invocation that tried it alone, by the memory or the time that it took: store it smaller, or in "
    "another format"
)


class Claim(Struct, frozen=True):
    """Who tries an upload alone."""

    message_id: str
    receives: int  # of that message
    until: float  # s since 1970; when that invocation has ended, at the latest
    stands: bool = True


class Claims:
    """The claims on uploads, kept in each one's own bucket through `client`, a boto3 S3 client (threads may share one)."""

    def __init__(self, client: "S3Client", results_prefix: str, clock: Callable[[], float] = time.time) -> None:
        self._client, self._clock = client, clock
        self.prefix = f"claims-{results_prefix}"

    @contextmanager
    def alone(self, item: UploadedObject, version: str, message: Message, milliseconds_left: int) -> Iterator[None]:
        """Hold the claim meanwhile, unless the process ends. Raises FatalImage where a claim stands from before, or StoreError."""
        place = item.bucket, result_key(self.prefix, item.key, version)
        mine = Claim(message.id, message.receives, self._clock() + milliseconds_left / 1000)
        self._take(place, mine)
        try:
            yield
        except MemoryError as error:  # nothing else was at work, and the model had its memory already
            self._give_back(place, mine)
            raise FatalImage(FATAL) from error
        except Exception:
            self._give_back(place, mine)
            raise
        self._give_back(place, mine)

    def _take(self, place: tuple[str, str], mine: Claim) -> None:
        found, etag = self._read(place)
        if found and found.stands:
            self._judge(found, mine, place)
        try:
            taken = self._write(place, mine, {"IfMatch": etag} if etag else {"IfNoneMatch": "*"})
        except StoreUnavailable:
            self._give_back(place, mine)  # it may have been written all the same
            raise
        if not taken and self._read(place)[0] != mine:
            raise StoreUnavailable(f"{address_of(*place)}: another invocation is trying that upload; try again")

    def _judge(self, found: Claim, mine: Claim, place: tuple[str, str]) -> None:
        """Whether the invocation that took the claim has ended: SQS gives a message to one at a time."""
        if found.message_id == mine.message_id and found.receives < mine.receives:
            raise FatalImage(FATAL)
        if self._clock() > found.until:
            raise FatalImage(FATAL)
        raise StoreUnavailable(f"{address_of(*place)}: another invocation is trying that upload; try again")

    def _read(self, place: tuple[str, str]) -> tuple[Claim | None, str | None]:
        """The claim that is there, and the ETag of whatever is there."""
        found = read_kept(self._client, *place)
        if found is None:
            return None, None
        try:
            return msgspec.json.decode(found[0], type=Claim), found[1]
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None, found[1]

    def _write(self, place: tuple[str, str], claim: Claim, unless: dict[str, str]) -> bool:
        """Tell whether it was written."""
        from botocore.exceptions import ClientError

        from model.aws import TAKEN, code_of

        bucket, key = place
        with kept(address_of(bucket, key)):
            try:
                self._client.put_object(Bucket=bucket, Key=key, Body=msgspec.json.encode(claim), **unless)  # type: ignore[arg-type]
            except ClientError as error:
                if (
                    code_of(error) in TAKEN or code_of(error) == "NoSuchKey"
                ):  # another's now, or expired since it was read
                    return False
                raise
        return True

    def _give_back(self, place: tuple[str, str], mine: Claim) -> None:
        """As well as can be: what the upload itself came to is worth more than the failure of this."""
        returned = msgspec.structs.replace(mine, stands=False)
        with suppress(StoreUnavailable, StoreForbidden, ObjectNotFound):
            until_taken(lambda: self._write(place, returned, {}))
