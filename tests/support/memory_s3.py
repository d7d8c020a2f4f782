"""An S3 in memory, for bursts: it keeps objects, writes conditionally as one step, and fails as often as it is told."""

import hashlib
import random
from io import BytesIO
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError


class MemoryS3:
    """One bucket without versions: whichever version is asked for is the object."""

    def __init__(self, objects: dict[str, bytes], faults: float = 0) -> None:
        self.objects, self._faults = objects, faults
        self.writes: dict[str, int] = {}  # key → how often it was written
        self._lock, self._random = Lock(), random.Random(1)

    def get_object(self, Key: str, IfMatch: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self._fail_sometimes()
        if Key not in self.objects:
            raise error("NoSuchKey")
        data = self.objects[Key]
        if IfMatch not in (None, etag(data)):
            raise error("PreconditionFailed")
        return {"Body": BytesIO(data), "ETag": etag(data), "ContentLength": len(data)}

    def head_object(self, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._fail_sometimes()
        if Key not in self.objects:
            raise error("404")
        return {"ETag": etag(self.objects[Key]), "ContentLength": len(self.objects[Key])}

    def put_object(
        self,
        Key: str,  # noqa: N803
        Body: bytes,  # noqa: N803
        IfMatch: str | None = None,  # noqa: N803
        IfNoneMatch: str | None = None,  # noqa: N803
        **_: Any,
    ) -> None:
        self._fail_sometimes()
        with self._lock:
            there = self.objects.get(Key)
            if IfNoneMatch and there is not None:
                raise error("PreconditionFailed")
            if IfMatch and there is None:
                raise error("NoSuchKey")
            if IfMatch and there is not None and IfMatch != etag(there):
                raise error("PreconditionFailed")
            self.objects[Key] = Body
            self.writes[Key] = self.writes.get(Key, 0) + 1
        self._fail_sometimes()  # written, but nobody hears of it

    def _fail_sometimes(self) -> None:
        if self._random.random() < self._faults:
            raise error("SlowDown")


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "S3")
