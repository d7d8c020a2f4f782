"""What stands for a boto3 S3 client elsewhere: the same calls, the same conditions, the same errors."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from botocore.exceptions import ClientError

from model.aws import TAKEN, code_of
from model.errors import ModelNotFound, StoreForbidden, StoreMisconfigured, StoreUnavailable
from model.stores.objects import open_bucket
from model.stores.s3 import open_client
from model.stores.uri import open_store, resolve
from tests.support.clouds import ACCOUNT, empty_bucket

KEYS = ["a", "a b+c%20#d?.jpg", "ü/💎", "a/b.jpg", "a/bc.jpg", "a/b.jpg@1", "a.b/c", "x" * 1000]


@pytest.fixture(params=["azurite", "google_storage"])
def bucket(request: pytest.FixtureRequest) -> str:
    return empty_bucket(request, request.param)


def put(bucket: str, key: str, body: bytes, **unless: str) -> bool:
    """Tell whether it was written."""
    try:
        open_client(bucket).put_object(Bucket=bucket, Key=key, Body=body, **unless)
    except ClientError as error:
        assert code_of(error) in TAKEN | {"NoSuchKey"}
        return False
    return True


def test_what_is_put_is_told_and_read(bucket: str) -> None:
    client = open_client(bucket)
    for key in KEYS:
        put(bucket, key, key.encode())
        answer, head = client.get_object(Bucket=bucket, Key=key), client.head_object(Bucket=bucket, Key=key)
        assert (answer["ContentLength"], answer["ETag"]) == (head["ContentLength"], head["ETag"])
        assert answer["Body"].read() == key.encode()
        assert head["ETag"] == f'"{head["ETag"][1:-1]}"'


def test_an_empty_object_is_read_as_such(bucket: str) -> None:
    open_client(bucket).upload_fileobj(BytesIO(b""), bucket, "empty")
    body = open_client(bucket).get_object(Bucket=bucket, Key="empty")["Body"]
    assert (body.read(100), body.read()) == (b"", b"")


def test_a_listing_holds_what_begins_with_the_prefix(bucket: str) -> None:
    for key in KEYS:
        put(bucket, key, b"")
    for prefix in ("", "a", "a/", "a/b", "a/b.jpg", "a/b.jpg@", "nothing"):
        assert sorted(found.key for found in open_bucket(bucket).list(prefix)) == sorted(
            key for key in KEYS if key.startswith(prefix)
        )


def test_more_objects_than_a_page_holds_are_listed(bucket: str) -> None:
    names = [f"many/{number:04}" for number in range(1100)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: put(bucket, name, b""), names))
    assert sorted(found.key for found in open_bucket(bucket).list("many/")) == names


def test_of_those_who_write_what_is_not_there_one_wins(bucket: str) -> None:
    for turn in range(20):
        with ThreadPoolExecutor(8) as pool:
            won = list(
                pool.map(lambda number, turn=turn: put(bucket, f"{turn}", b"%d" % number, IfNoneMatch="*"), range(8))
            )
        assert won.count(True) == 1
        assert open_bucket(bucket).read(f"{turn}", 10) == b"%d" % won.index(True)


def test_of_those_who_replace_what_they_saw_one_wins(bucket: str) -> None:
    for turn in range(20):
        put(bucket, "a", b"%d" % turn)
        seen = open_bucket(bucket).head("a").etag
        with ThreadPoolExecutor(8) as pool:
            assert (
                list(
                    pool.map(lambda number, seen=seen: put(bucket, "a", b"%d" % number, IfMatch=seen), range(8))
                ).count(True)
                == 1
            )


def test_what_is_gone_cannot_be_replaced(bucket: str) -> None:
    put(bucket, "a", b"1")
    seen = open_bucket(bucket).head("a").etag
    for _ in range(2):  # deleting what is not there is no error, as in S3
        open_client(bucket).delete_object(Bucket=bucket, Key="a")
    assert not put(bucket, "a", b"2", IfMatch=seen)
    with pytest.raises(ModelNotFound):
        open_bucket(bucket).head("a")


def test_content_is_read_as_it_was_seen_or_not_at_all(bucket: str) -> None:
    put(bucket, "a", b"1")
    seen = open_bucket(bucket).head("a").etag
    assert open_client(bucket).get_object(Bucket=bucket, Key="a", IfMatch=seen)["Body"].read() == b"1"
    put(bucket, "a", b"2")
    with pytest.raises(ClientError) as refused:
        open_client(bucket).get_object(Bucket=bucket, Key="a", IfMatch=seen)
    assert code_of(refused.value) in {"PreconditionFailed", "NoSuchKey"}


@pytest.mark.parametrize("key", ["a//b", "/a", "a/", "a/../b", "a\nb"])
def test_a_key_that_obstore_would_take_for_another_is_not_there(bucket: str, key: str) -> None:
    put(bucket, "a", b"1")
    with pytest.raises(ModelNotFound):
        open_bucket(bucket).head(key)


def test_a_container_that_is_not_there_is_named(bucket: str) -> None:
    with pytest.raises(ModelNotFound, match=f"{bucket}-no/store/"):
        resolve(f"{bucket}-no/store/flowers")


def test_a_wrong_key_is_said_with_the_remedy(request, azurite, monkeypatch) -> None:
    bucket = empty_bucket(request, "azurite")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "AAAA")
    with pytest.raises(StoreForbidden, match=r"Storage Blob Data Contributor|AZURE_STORAGE_ACCOUNT_KEY"):
        open_store(bucket).versions()


def test_a_name_that_a_listing_cannot_tell_is_said_with_the_remedy(request, azurite) -> None:
    bucket = empty_bucket(request, "azurite")
    azurite.put(bucket, "a//b.jpg")
    with pytest.raises(StoreMisconfigured, match=r"a//b\.jpg.*rename"):
        open_store(bucket).versions()


def test_no_account_is_said_with_the_remedy(monkeypatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StoreMisconfigured, match=r"az://photos.*AZURE_STORAGE_ACCOUNT_NAME"):
        open_store("az://photos").versions()


def test_credentials_that_are_no_file_are_said_with_the_remedy(monkeypatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    with pytest.raises(StoreMisconfigured, match=r"gs://photos.*GOOGLE_APPLICATION_CREDENTIALS"):
        open_store("gs://photos").versions()


def test_an_endpoint_that_does_not_answer_is_a_store_out_of_reach(request, azurite, monkeypatch) -> None:
    bucket = empty_bucket(request, "azurite")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"http://127.0.0.1:9/{ACCOUNT}")
    with pytest.raises(StoreUnavailable, match="az://"):
        open_store(bucket).versions()


def test_without_obstore_it_is_said_what_is_missing(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore", None)
    with pytest.raises(StoreMisconfigured, match="server image"):
        open_store("gs://photos")
