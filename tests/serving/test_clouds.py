"""Images that are named by reference in Azure's and Google's own stores, under the rules that hold for S3."""

from socket import create_server

import pytest

from model.errors import ImageTooLarge, StoreMisconfigured, StoreUnavailable
from serving.errors import ObjectNotFound, SettingsError, SourceForbidden
from serving.s3 import ObjectReader, cloud_client
from serving.schemas import S3Reference
from serving.settings import S3Prefix, Settings
from tests.support.clouds import ACCOUNT, KEY, empty_bucket


@pytest.fixture(params=["azurite", "google_storage"])
def bucket(request: pytest.FixtureRequest) -> str:
    bucket = empty_bucket(request, request.param)
    for key, size in {"uploads/a b.jpg": 5, "uploads/huge.jpg": 3000, "elsewhere.jpg": 5}.items():
        cloud_client().put_object(Bucket=bucket, Key=key, Body=size * b"x")
    return bucket


def read(bucket: str, key: str, allowed: str = "") -> bytes:
    return ObjectReader((S3Prefix(allowed or bucket, "uploads/"),), max_bytes=2000).read(S3Reference(bucket, key))


def test_an_object_within_the_allow_list_is_read(bucket: str) -> None:
    assert read(bucket, "uploads/a b.jpg") == b"xxxxx"


@pytest.mark.parametrize("key", ["elsewhere.jpg", "/uploads/a b.jpg"])
def test_what_lies_outside_is_refused(bucket: str, key: str) -> None:
    with pytest.raises(SourceForbidden):
        read(bucket, key)


def test_a_bucket_of_that_name_in_another_store_is_another_bucket(bucket: str) -> None:
    for allowed in (bucket.partition("://")[2], f"az://{bucket[5:]}", f"gs://{bucket[5:]}"):
        if allowed != bucket:
            with pytest.raises(SourceForbidden):
                read(bucket, "uploads/a b.jpg", allowed)


def test_too_large_an_object_is_not_read(bucket: str) -> None:
    with pytest.raises(ImageTooLarge):
        read(bucket, "uploads/huge.jpg")


@pytest.mark.parametrize(
    "key", ["uploads/none.jpg", "uploads/a//b.jpg", "uploads/a b.jpg/", "uploads/../elsewhere.jpg"]
)
def test_what_is_not_there_is_not_found(bucket: str, key: str) -> None:
    with pytest.raises(ObjectNotFound):
        read(bucket, key)


def test_a_key_that_lets_nobody_in_is_the_operators_fault_or_looks_like_what_is_not_there(
    request, azurite, monkeypatch
) -> None:
    bucket = empty_bucket(request, "azurite")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", f"{KEY[:-6]}AAAA==")
    with pytest.raises((ObjectNotFound, StoreMisconfigured)):
        read(bucket, "uploads/a b.jpg")


@pytest.mark.slow
def test_a_store_that_says_nothing_is_given_up(monkeypatch) -> None:
    with create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}/{ACCOUNT}")
        with pytest.raises(StoreUnavailable):  # in 6 s
            read("az://photos", "uploads/a.jpg")


def test_places_of_every_store_may_be_allowed() -> None:
    given = {"IMAGE_SOURCES": "s3://a/b az://photos/uploads/, gs://photos"}
    places = Settings.from_environment(given).image_sources
    assert places == (S3Prefix("a", "b"), S3Prefix("az://photos", "uploads/"), S3Prefix("gs://photos", ""))


@pytest.mark.parametrize("place", ["http://a/b", "az://", "gs:///b", "photos"])
def test_a_place_of_no_store_is_refused(place: str) -> None:
    with pytest.raises(SettingsError, match="IMAGE_SOURCES"):
        Settings.from_environment({"IMAGE_SOURCES": place})


@pytest.mark.parametrize("bucket", ["az://", "az://a/b", "gs://a/", "s3://photos", "http://photos", "AZ://photos"])
def test_a_bucket_for_uploads_that_is_none_is_refused(bucket: str) -> None:
    with pytest.raises(SettingsError, match="UPLOADS_BUCKET"):
        Settings.from_environment({"UPLOADS_BUCKET": bucket})


@pytest.mark.parametrize("asked", ["TAG_UPLOADS", "PUBLISH_EVENTS"])
def test_what_only_aws_has_is_refused_at_the_start_elsewhere(asked: str) -> None:
    with pytest.raises(SettingsError, match=asked):
        Settings.from_environment({"UPLOADS_BUCKET": "gs://photos", asked: "yes"})
