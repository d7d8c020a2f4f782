"""An S3 in memory, for bursts: it keeps objects, writes conditionally as one step, and fails as often as it is told."""

import random
from io import BytesIO
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError


class MemoryS3:
    def __init__(self, objects: dict[str, bytes], faults: float) -> None:
        self.objects, self._faults = objects, faults
        self.writes: dict[str, int] = {}  # key → how often it was written
        self._lock, self._random = Lock(), random.Random(1)

    def get_object(self, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self._fail_sometimes()
        if Key not in self.objects:
            raise error("NoSuchKey")
        data = self.objects[Key]
        return {"Body": BytesIO(data), "ETag": '"e"', "ContentLength": len(data)}

    def put_object(self, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        self._fail_sometimes()
        with self._lock:
            if Key in self.objects:
                raise error("PreconditionFailed")
            self.objects[Key] = Body
            self.writes[Key] = self.writes.get(Key, 0) + 1
        self._fail_sometimes()  # written, but nobody hears of it

    def _fail_sometimes(self) -> None:
        if self._random.random() < self._faults:
            raise error("SlowDown")


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "S3")
