"""What tells an image that ends the function from those of its batch, which it would take along.

A batch whose invocation ended without an answer is tried again by a state of its own (deploy/bulk.yml): one image at a time, and
each is written down before it is decoded. What stands in that claim when the next try begins was being worked on, alone, when the
last one ended: it gets an error, and is not tried again. So each such image costs one try, and no other image anything.

The next try begins when the last has ended, and a claim belongs to one batch of one run, so that no two invocations ever share it. What ends
an invocation from outside in that while is taken for the image's doing.
"""

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from serving.s3 import kept, read_kept, until_taken

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FATAL = (
    "this image ended the function that tried it alone, by the memory or the time that it took: store it smaller, or in "
    "another format, or make bulkMemory larger"
)


class Claim(Struct, frozen=True):
    """Places in the batch."""

    fatal: tuple[int, ...] = ()  # of images that ended an invocation
    trying: int | None = None  # of the one that is at work


class Claims:
    """The claim of one batch in one run, through `client`, a boto3 S3 client. Methods raise StoreError."""

    def __init__(self, client: "S3Client", bucket: str, key: str) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        before = self._read()
        self.fatal = before.fatal if before.trying is None else (*before.fatal, before.trying)

    def take(self, number: int) -> None:
        self._write(Claim(self.fatal, number))

    def give_back(self) -> None:
        self._write(Claim(self.fatal))

    def _read(self) -> Claim:
        found = read_kept(self._client, self._bucket, self._key)
        if found is None:
            return Claim()
        try:
            return msgspec.json.decode(found[0], type=Claim)
        except (msgspec.DecodeError, UnicodeError, RecursionError):  # something else lies there
            return Claim()

    def _write(self, claim: Claim) -> None:
        def put() -> None:
            with kept(f"s3://{self._bucket}/{self._key}"):
                self._client.put_object(Bucket=self._bucket, Key=self._key, Body=msgspec.json.encode(claim))

        until_taken(put)
