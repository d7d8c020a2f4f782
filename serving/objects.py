"""Images that lie in S3: read only from the allow-list, and only when their size is known to be within the limit.

boto3 is imported by the first object that is read.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from model.errors import ImageTooLarge, StoreUnavailable
from serving.errors import ObjectNotFound, SourceForbidden
from serving.messages import S3Reference
from serving.settings import S3Prefix


def s3_client() -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(retries={"mode": "standard"}, connect_timeout=2, read_timeout=10))


class ObjectReader:
    """Reads what `allowed` covers, through the client that `connect` makes when it is first needed."""

    def __init__(self, allowed: tuple[S3Prefix, ...], max_bytes: int, connect: Callable[[], Any] = s3_client) -> None:
        self._allowed, self._max_bytes, self._connect = allowed, max_bytes, connect
        self._one_at_a_time = Lock()  # boto3 makes clients from a session that threads may not share
        self._client: Any = None

    def read(self, reference: S3Reference) -> bytes:
        """Raises SourceForbidden, ObjectNotFound, ImageTooLarge or StoreUnavailable."""
        if not any(place.covers(reference.bucket, reference.key) for place in self._allowed):
            raise SourceForbidden(
                "this service may not read that place in S3: use one that it allows, or send the image itself "
                "(operators list places in IMAGE_SOURCES)"
            )
        wanted = {"Bucket": reference.bucket, "Key": reference.key}
        if reference.version_id:
            wanted["VersionId"] = reference.version_id
        client = self._client_once()
        with _translated(wanted):
            head = client.head_object(**wanted)
        if head["ContentLength"] > self._max_bytes:
            raise ImageTooLarge(
                f"the object has {head['ContentLength']:,} bytes; at most {self._max_bytes:,} are read: store a smaller one"
            )
        with _translated(wanted):
            body: bytes = client.get_object(**wanted, IfMatch=head["ETag"])["Body"].read()
        return body

    def _client_once(self) -> Any:
        with self._one_at_a_time:
            self._client = self._client or self._connect()
        return self._client


@contextmanager
def _translated(wanted: dict[str, str]) -> Iterator[None]:
    """Turn the SDK's errors into ours; a missing and a forbidden object look the same to the caller."""
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    from model.s3 import DENIED, MISSING, code_of

    missing = ObjectNotFound("there is no such object, or this service may not read it: check bucket, key and version")
    where = f"s3://{wanted['Bucket']}/{wanted['Key']}"
    try:
        yield
    except ParamValidationError as error:
        raise missing from error
    except ClientError as error:
        if code_of(error) in MISSING | DENIED | {"400", "InvalidArgument", "MethodNotAllowed", "405"}:
            raise missing from error  # 400: no such version; 405: the version is a delete marker
        raise StoreUnavailable(f"S3 answered {error} for {where}") from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"S3 cannot be reached for {where} ({error})") from error
