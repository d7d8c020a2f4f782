"""Images that lie in S3 or beside it: read only from the allow-list, only when their size is known to be within the limit, and not for ever.

It says what the caller hears of S3's answers; what they mean stands in model/aws.py. boto3 is imported by the first object that
is read.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from model.errors import CorruptImage, ImageTooLarge, RequestError, StoreForbidden, StoreMisconfigured, StoreUnavailable
from model.stores.addresses import address_of, in_s3
from serving.errors import BodyTooLarge, MalformedRequest, ObjectArchived, ObjectLocked, ObjectNotFound, SourceForbidden
from serving.schemas import S3Reference
from serving.settings import S3Prefix

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

ABSENT = "there is no such object, or this service may not read it: check bucket, key and version"
GONE = {  # codes that say of an object, or of its version, that it is not there (any more)
    "PreconditionFailed",  # overwritten since it was looked at
    "412",  # the same, answered to HEAD
    "MethodNotAllowed",  # the version is a delete marker
    "405",  # the same, answered to HEAD
    "InvalidArgument",  # there cannot be such a version
}
BARE = {"400", "403"}  # HEAD has no body that would say why
READ_SECONDS = 8  # s; the longest that an object of at most MAX_IMAGE_BYTES is read: S3 sends 20 MB in less than one
TRIES = 2  # times a call is made at most; each waits 2 s for a connection and 3 s for bytes, so a silent S3 costs about 10 s
SMALLEST, LARGEST = 4 * 2**10, 32 * 2**10  # bytes read at a time: the clock is looked at in between, and 1 kB/s is slow
AGAIN_AFTER = [0.02 * 2**n for n in range(8)]  # s between tries of what must be written, 5 in all
FOLDERS = ("/", "_$folder$")  # how keys end that S3's console and Hadoop put, empty, to show a folder
QUICK = 0.05  # s for so many bytes: twice as many next time


def s3_client() -> "S3Client":
    """Raises StoreMisconfigured."""
    import boto3
    from botocore.config import Config

    from model.aws_errors import translated

    retries = Config(retries={"mode": "standard", "total_max_attempts": TRIES}, connect_timeout=2, read_timeout=3)
    with translated("S3"):
        return boto3.client("s3", config=retries)


def cloud_client() -> "S3Client":
    """What stands for S3's where a bucket is az:// or gs://. Raises StoreMisconfigured."""
    from model.stores.clouds import open_cloud_client

    return open_cloud_client(connect=2, read=3, whole=READ_SECONDS, tries=TRIES)


class ObjectReader:
    """Reads what `allowed` covers, through the client that `connect` makes of S3, or that of the clouds, when it is first needed."""

    def __init__(
        self, allowed: tuple[S3Prefix, ...], max_bytes: int, connect: "Callable[[], S3Client]" = s3_client
    ) -> None:
        self._allowed, self._max_bytes, self._connect = allowed, max_bytes, connect
        self._one_at_a_time = Lock()  # boto3 makes clients from a session that threads may not share
        self._clients: dict[bool, S3Client] = {}  # of S3 or not

    def read(self, reference: S3Reference) -> bytes:
        """Raises SourceForbidden, ObjectNotFound, ObjectArchived, ObjectLocked, ImageTooLarge or StoreError."""
        if not any(place.covers(reference.bucket, reference.key) for place in self._allowed):
            raise SourceForbidden(
                "this service may not read that place: use one that it allows, or send the image itself "
                "(operators list places in IMAGE_SOURCES)"
            )
        wanted: Any = {"Bucket": reference.bucket, "Key": reference.key}
        if reference.version_id:
            wanted["VersionId"] = reference.version_id
        deadline = time.monotonic() + READ_SECONDS
        with _caller_errors(address_of(reference.bucket, reference.key)):
            client = self._client_of(reference.bucket)
            head = look_up(client, wanted)
            refuse_too_large(head["ContentLength"], self._max_bytes)
            answer = client.get_object(**wanted, IfMatch=head["ETag"])
            body = read_body(answer["Body"], deadline)
        return unpacked(body, answer.get("ContentEncoding"), self._max_bytes)

    def _client_of(self, bucket: str) -> "S3Client":
        with self._one_at_a_time:
            if in_s3(bucket) not in self._clients:
                self._clients[in_s3(bucket)] = self._connect() if in_s3(bucket) else cloud_client()
        return self._clients[in_s3(bucket)]


def until_taken(write: Callable[[], object]) -> None:
    """Write, again and again where S3 is away: a claim that stands by mistake condemns a sound image. Raises StoreError."""
    for delay in AGAIN_AFTER:
        try:
            write()
        except StoreUnavailable:
            time.sleep(delay)
        else:
            return
    write()


def refuse_too_large(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ImageTooLarge(f"the object has {size:,} bytes; at most {max_bytes:,} are read: store a smaller one")


def unpacked(body: bytes, coding: str | None, max_bytes: int) -> bytes:
    """An object's bytes, their gzip undone where Content-Encoding says it and they begin so: many say it of what is not packed.

    Raises ImageTooLarge or CorruptImage.
    """
    if not coding or "gzip" not in coding.lower() or not body.startswith(b"\x1f\x8b"):
        return body
    from serving.codings import inflated

    try:
        return inflated(body, "gzip", max_bytes)
    except BodyTooLarge as error:
        raise ImageTooLarge(f"unpacked, the object has more than {max_bytes:,} bytes: store a smaller one") from error
    except MalformedRequest as error:
        raise CorruptImage(
            "the object's Content-Encoding says gzip, but it is cut off or damaged: store it again"
        ) from error


def look_up(client: "S3Client", wanted: Any) -> "HeadObjectOutputTypeDef":
    """What HEAD says of an object; where it refuses without a word, GET is asked for the reason, and its error raised."""
    from botocore.exceptions import ClientError

    from model.aws import code_of

    try:
        return client.head_object(**wanted)
    except ClientError as error:
        if code_of(error) in BARE:
            raise _named(client, wanted, error) from error
        raise


def _named(client: "S3Client", wanted: Any, bare: "ClientError") -> "ClientError":
    from botocore.exceptions import ClientError

    from model.aws import Fault, meaning_of

    try:
        client.get_object(**wanted, Range="bytes=0-0")["Body"].close()
    except ClientError as error:
        # HEAD would have said 404, so what is missing to GET alone does not explain its 400: the credentials do
        return bare if meaning_of(error).fault is Fault.MISSING and "VersionId" not in wanted else error
    return bare


def read_kept(client: "S3Client", bucket: str, key: str) -> tuple[bytes, str] | None:
    """What this service keeps there, and its ETag; nothing where nothing is. Raises StoreError."""
    try:
        with kept(address_of(bucket, key)):
            answer = client.get_object(Bucket=bucket, Key=key)
            return read_body(answer["Body"]), answer["ETag"]
    except ObjectNotFound:
        return None


def read_body(body: Any, deadline: float | None = None) -> bytes:
    """Everything, unless that takes longer than to `deadline` on the monotonic clock. Raises StoreUnavailable."""
    deadline = deadline or time.monotonic() + READ_SECONDS
    parts, size, now = [], SMALLEST, time.monotonic()
    with closing(body):
        while part := body.read(size):
            parts.append(part)
            began, now = now, time.monotonic()
            size = min(2 * size, LARGEST) if now - began < QUICK else SMALLEST
            if now > deadline:
                raise StoreUnavailable(f"the store sent {sum(map(len, parts)):,} bytes and not the rest in time")
    return b"".join(parts)


@contextmanager
def s3_errors(where: str) -> Iterator[None]:
    """Turn the SDK's errors into ours: ObjectNotFound, ObjectArchived, ObjectLocked or a StoreError."""
    from botocore.exceptions import ClientError, ParamValidationError

    from model.aws_errors import translated

    with translated(where):
        try:
            yield
        except ClientError as error:
            final = _final(error, where)
            if final is None:
                raise
            raise final from error
        except ParamValidationError as error:
            raise ObjectNotFound(f"{where} names no object that there can be") from error


@contextmanager
def kept(where: str) -> Iterator[None]:
    """The same for what this service itself keeps there, results and claims: whatever locks that up is the operator's to mend."""
    from botocore.exceptions import ParamValidationError

    try:
        with s3_errors(where):
            try:
                yield
            except ParamValidationError as error:
                raise StoreMisconfigured(
                    f"{where} names no place that there can be: set UPLOADS_BUCKET to a bucket's own name"
                ) from error
    except (ObjectArchived, ObjectLocked) as error:
        raise StoreMisconfigured(f"{where} is kept by this service: {error}") from error


def _final(error: "ClientError", where: str) -> RequestError | None:
    """What trying again does not mend, while the object is as it is; nobody but its owner can."""
    from model.aws import Fault, code_of, meaning_of

    meaning = meaning_of(error)
    if meaning.fault is Fault.MISSING or (code_of(error) in GONE and meaning.fault is not Fault.OPERATOR):
        return ObjectNotFound(f"{where} does not exist (any more)")
    if meaning.fault is Fault.ARCHIVED:
        return ObjectArchived(
            "the object is archived (its storage class is Glacier Flexible Retrieval, Deep Archive or an archive tier of "
            f"Intelligent-Tiering, or Azure's): {meaning.remedy}"
        )
    if meaning.fault is Fault.LOCKED:
        return ObjectLocked(f"the object is encrypted, and its key is not to be had: {meaning.remedy}")
    return None


@contextmanager
def _caller_errors(where: str) -> Iterator[None]:
    """The same for whoever names an object: one that is missing and one that is forbidden look alike to them."""
    try:
        with s3_errors(where):
            yield
    except StoreMisconfigured:
        raise  # no object could be read
    except (ObjectNotFound, StoreForbidden) as error:
        raise ObjectNotFound(ABSENT) from error
