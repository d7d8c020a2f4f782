"""An S3 client that fails when it is told to."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError


class Faulty:
    """An S3 client some of whose calls fail with an error: `faults` maps operation → [error or None, …]."""

    def __init__(self, client: Any, **faults: list[Exception | None]) -> None:
        self._client, self._faults = client, faults

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            error = self._faults.get(operation) and self._faults[operation].pop(0)
            if error:
                raise error
            return getattr(self._client, operation)(**arguments)

        return call


def answer(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")
