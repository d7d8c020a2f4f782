import gzip
import time

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    ResponseStreamingError,
)

from model.errors import CorruptImage, ImageTooLarge, StoreMisconfigured, StoreUnavailable
from serving.errors import ObjectArchived, ObjectLocked, ObjectNotFound, SourceForbidden
from serving.s3 import READ_SECONDS, ObjectReader, read_body, s3_client
from serving.schemas import S3Reference
from serving.settings import S3Prefix, Settings
from tests.support.fakes import colour_app, picture

ALLOWED = (S3Prefix("photos", "uploads/"),)
RED = picture("red")


@pytest.fixture
def bucket(aws):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="photos")
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture
def reader():
    return ObjectReader(ALLOWED, max_bytes=2000)


@pytest.mark.parametrize("key", ["uploads/a.jpg", "uploads/a b+c.jpg", "uploads/ünï %41.jpg", "uploads/deep/er/a"])
def test_an_object_is_read_by_its_plain_key(bucket, reader, key):
    bucket.put_object(Bucket="photos", Key=key, Body=RED)
    assert reader.read(S3Reference("photos", key)) == RED


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "gzip,aws-chunked"])
@pytest.mark.parametrize("body", [gzip.compress(RED, mtime=0), RED], ids=["packed", "said to be packed"])
def test_an_object_that_was_stored_as_gzip_is_unpacked(bucket, reader, coding, body):
    bucket.put_object(Bucket="photos", Key="uploads/a.jpg", Body=body, ContentEncoding=coding)
    assert reader.read(S3Reference("photos", "uploads/a.jpg")) == RED


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (gzip.compress(bytes(2001), mtime=0), ImageTooLarge),
        (gzip.compress(bytes(100_000), mtime=0), ImageTooLarge),
        (gzip.compress(RED, mtime=0)[:-20], CorruptImage),
    ],
)
def test_it_is_unpacked_within_the_limit_and_whole(bucket, reader, body, error):
    bucket.put_object(Bucket="photos", Key="uploads/a.jpg", Body=body, ContentEncoding="gzip")
    with pytest.raises(error, match="object"):
        reader.read(S3Reference("photos", "uploads/a.jpg"))


def test_a_version_is_read_when_it_is_named(bucket, reader):
    first = bucket.put_object(Bucket="photos", Key="uploads/a.jpg", Body=b"first")["VersionId"]
    bucket.put_object(Bucket="photos", Key="uploads/a.jpg", Body=b"second")
    assert reader.read(S3Reference("photos", "uploads/a.jpg")) == b"second"
    assert reader.read(S3Reference("photos", "uploads/a.jpg", first)) == b"first"


@pytest.mark.parametrize(
    ("bucket_name", "key"), [("photos", "private/a.jpg"), ("others", "uploads/a.jpg"), ("photos", "uploads")]
)
def test_a_place_outside_the_list_is_refused_before_s3_is_asked(bucket_name, key):
    def connect():
        raise AssertionError("S3 must not be asked")

    with pytest.raises(SourceForbidden):
        ObjectReader(ALLOWED, 2000, connect).read(S3Reference(bucket_name, key))


def test_an_object_that_is_too_large_is_not_downloaded(bucket, reader):
    bucket.put_object(Bucket="photos", Key="uploads/a.jpg", Body=bytes(2001))
    calls = []
    client = s3_client()
    client.meta.events.register("before-call.s3.*", lambda model, **_: calls.append(model.name))
    with pytest.raises(ImageTooLarge, match="2,001 bytes; at most 2,000"):
        ObjectReader(ALLOWED, 2000, lambda: client).read(S3Reference("photos", "uploads/a.jpg"))
    assert calls == ["HeadObject"]


class RefusingClient:
    """An S3 whose every answer is this error."""

    def __init__(self, code: str) -> None:
        self.error = ClientError({"Error": {"Code": code}}, "HeadObject")

    def head_object(self, **_):
        raise self.error

    get_object = head_object


def test_missing_and_forbidden_look_the_same(bucket):
    bucket.put_object(Bucket="photos", Key="uploads/gone.jpg", Body=RED)
    deleted = bucket.delete_object(Bucket="photos", Key="uploads/gone.jpg")["VersionId"]
    readers = {
        S3Reference("photos", "uploads/never.jpg"): s3_client,
        S3Reference("photos", "uploads/gone.jpg"): s3_client,
        S3Reference("photos", "uploads/gone.jpg", deleted): s3_client,
        S3Reference("photos", "uploads/gone.jpg", "no-such-version"): s3_client,
        S3Reference("photos", "uploads/forbidden.jpg"): lambda: RefusingClient("403"),
        S3Reference("photos", "uploads/denied.jpg"): lambda: RefusingClient("AccessDenied"),
    }
    texts = set()
    for reference, connect in readers.items():
        with pytest.raises(ObjectNotFound) as refusal:
            ObjectReader(ALLOWED, 2000, connect).read(reference)
        texts.add(str(refusal.value))
    assert len(texts) == 1


@pytest.mark.parametrize("code", ["SlowDown", "503", "InternalError"])
def test_an_s3_that_cannot_answer_is_no_fault_of_the_caller(code):
    with pytest.raises(StoreUnavailable, match=code):
        ObjectReader(ALLOWED, 2000, lambda: RefusingClient(code)).read(S3Reference("photos", "uploads/a.jpg"))


def test_an_s3_out_of_reach_is_no_fault_of_the_caller():
    class Unreachable:
        def head_object(self, **_):
            raise EndpointConnectionError(endpoint_url="https://s3.example")

    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        ObjectReader(ALLOWED, 2000, Unreachable).read(S3Reference("photos", "uploads/a.jpg"))


def test_a_download_that_breaks_off_is_no_fault_of_the_caller():
    class Breaking:
        def head_object(self, **_):
            return {"ContentLength": 9, "ETag": '"a"'}

        def get_object(self, **_):
            return {"Body": self}

        def close(self):
            pass

        def read(self, amount):
            raise ResponseStreamingError(error="connection reset")

    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        ObjectReader(ALLOWED, 2000, Breaking).read(S3Reference("photos", "uploads/a.jpg"))


class Answering:
    """An S3 whose HEAD, and whose GET, answer with these errors."""

    def __init__(self, head: str, get: str, message: str = "") -> None:
        self._head = ClientError({"Error": {"Code": head}}, "HeadObject")
        self._get = ClientError({"Error": {"Code": get, "Message": message}}, "GetObject")

    def head_object(self, **_):
        raise self._head

    def get_object(self, **_):
        raise self._get


SSE_C = "The object was stored using a form of Server Side Encryption."


@pytest.mark.parametrize(
    ("head", "get", "message", "error"),
    [
        ("400", "ExpiredToken", "", StoreMisconfigured),
        ("400", "NoSuchKey", "", StoreMisconfigured),  # HEAD says 404 of what is missing
        ("400", "InvalidRequest", SSE_C, ObjectLocked),
        ("400", "KMS.DisabledException", "", ObjectLocked),
        ("400", "AuthorizationHeaderMalformed", "", StoreMisconfigured),
        ("403", "InvalidAccessKeyId", "", StoreMisconfigured),
        ("403", "SignatureDoesNotMatch", "", StoreMisconfigured),
        ("403", "AccessDenied", "not authorized to perform: kms:Decrypt", StoreMisconfigured),
        ("403", "AccessDenied", "Access Denied", ObjectNotFound),
        ("403", "InvalidObjectState", "", ObjectArchived),
        ("301", "", "", StoreMisconfigured),
        ("404", "", "", ObjectNotFound),
        ("412", "", "", ObjectNotFound),
    ],
)
def test_a_refusal_without_a_word_is_asked_for_its_reason(head, get, message, error):
    with pytest.raises(error):
        ObjectReader(ALLOWED, 2000, lambda: Answering(head, get, message)).read(S3Reference("photos", "uploads/a.jpg"))


@pytest.mark.parametrize("get", ["InvalidArgument", "NoSuchVersion"])
def test_a_version_that_cannot_be_is_the_callers(get):
    with pytest.raises(ObjectNotFound):
        ObjectReader(ALLOWED, 2000, lambda: Answering("400", get)).read(S3Reference("photos", "uploads/a.jpg", "x"))


@pytest.mark.parametrize("error", [NoCredentialsError(), ProfileNotFound(profile="p"), NoRegionError()])
def test_a_client_that_cannot_be_made_is_the_operators(error):
    def connect():
        raise error

    with pytest.raises(StoreMisconfigured):
        ObjectReader(ALLOWED, 2000, connect).read(S3Reference("photos", "uploads/a.jpg"))


class Drip:
    """A body that comes slowly, and never ends."""

    def __init__(self):
        self.asked, self.closed = [], False

    def read(self, size):
        self.asked.append(size)
        time.sleep(0.02)
        return bytes(size)

    def close(self):
        self.closed = True


def test_a_body_that_comes_too_slowly_is_given_up():
    body = Drip()
    with pytest.raises(StoreUnavailable, match="not the rest in time"):
        read_body(body, time.monotonic() + 0.1)
    assert body.closed
    assert max(body.asked) <= 32 * 1024


def test_a_silent_s3_keeps_nobody_waiting_as_long_as_a_gateway_does():
    config = s3_client().meta.config
    silence = config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout)
    assert silence + READ_SECONDS + silence < 29  # s: HEAD, and GET just before the time is over


def test_a_reference_is_named_over_http(bucket):
    bucket.put_object(Bucket="photos", Key="uploads/red.jpg", Body=RED)
    client = colour_app(Settings(image_sources=ALLOWED)).test_client()
    good, missing, outside = (
        {"s3": {"bucket": "photos", "key": key}} for key in ("uploads/red.jpg", "uploads/no.jpg", "private/red.jpg")
    )
    single = client.post("/v1/classify", json={"image": good}).get_json()
    batch = client.post("/v1/classify", json={"images": [good, missing, outside]}).get_json()["results"]
    assert single["labels"][0]["name"] == batch[0]["labels"][0]["name"] == "red"
    assert [result["error"]["code"] for result in batch[1:]] == ["object_not_found", "source_forbidden"]
    assert client.post("/v1/classify", json={"image": missing}).status_code == 404
    assert client.post("/v1/classify", json={"image": outside}).status_code == 403
