"""Images that lie in S3: read only from the allow-list, and only when their size is known to be within the limit.

boto3 is imported by the first object that is read.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from model.errors import ImageTooLarge, ModelNotFound, StoreForbidden
from serving.errors import ObjectNotFound, SourceForbidden
from serving.schemas import S3Reference
from serving.settings import S3Prefix

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ABSENT = "there is no such object, or this service may not read it: check bucket, key and version"
GONE = {  # codes that say, beside model.aws.MISSING, that an object or its version is not there (any more)
    "PreconditionFailed",  # overwritten since it was looked at
    "MethodNotAllowed",  # the version is a delete marker
    "405",  # the same, answered to HEAD
    "InvalidArgument",  # there cannot be such a version
    "400",  # the same, answered to HEAD
}


def s3_client() -> "S3Client":
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(retries={"mode": "standard"}, connect_timeout=2, read_timeout=10))


class ObjectReader:
    """Reads what `allowed` covers, through the client that `connect` makes when it is first needed."""

    def __init__(
        self, allowed: tuple[S3Prefix, ...], max_bytes: int, connect: "Callable[[], S3Client]" = s3_client
    ) -> None:
        self._allowed, self._max_bytes, self._connect = allowed, max_bytes, connect
        self._one_at_a_time = Lock()  # boto3 makes clients from a session that threads may not share
        self._client: S3Client | None = None

    def read(self, reference: S3Reference) -> bytes:
        """Raises SourceForbidden, ObjectNotFound, ImageTooLarge or StoreUnavailable."""
        if not any(place.covers(reference.bucket, reference.key) for place in self._allowed):
            raise SourceForbidden(
                "this service may not read that place in S3: use one that it allows, or send the image itself "
                "(operators list places in IMAGE_SOURCES)"
            )
        wanted: Any = {"Bucket": reference.bucket, "Key": reference.key}
        if reference.version_id:
            wanted["VersionId"] = reference.version_id
        client = self._client_once()
        with _caller_errors(f"s3://{reference.bucket}/{reference.key}"):
            head = client.head_object(**wanted)
            refuse_too_large(head["ContentLength"], self._max_bytes)
            return read_body(client.get_object(**wanted, IfMatch=head["ETag"])["Body"])

    def _client_once(self) -> "S3Client":
        with self._one_at_a_time:
            self._client = self._client or self._connect()
        return self._client


def refuse_too_large(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ImageTooLarge(f"the object has {size:,} bytes; at most {max_bytes:,} are read: store a smaller one")


def read_body(body: Any) -> bytes:
    with closing(body):
        data: bytes = body.read()
    return data


@contextmanager
def s3_errors(where: str) -> Iterator[None]:
    """Turn the SDK's errors into ours: ObjectNotFound, StoreForbidden or StoreUnavailable."""
    from botocore.exceptions import ClientError

    from model.aws import code_of, translated

    try:
        with translated(where):
            try:
                yield
            except ClientError as error:
                if code_of(error) in GONE:
                    raise ModelNotFound(f"{where} is not what it was") from error
                raise
    except ModelNotFound as error:
        raise ObjectNotFound(f"{where} does not exist (any more)") from error


@contextmanager
def _caller_errors(where: str) -> Iterator[None]:
    """The same for whoever names an object: one that is missing and one that is forbidden look alike to them."""
    from botocore.exceptions import ParamValidationError

    try:
        with s3_errors(where):
            yield
    except ParamValidationError as error:
        raise ObjectNotFound(ABSENT) from error
    except (ObjectNotFound, StoreForbidden) as error:
        raise ObjectNotFound(ABSENT) from error
