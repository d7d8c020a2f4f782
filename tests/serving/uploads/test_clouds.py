"""What Azure Blob Storage and Google Cloud Storage say of objects: which is work, which is nothing to do, which is refused."""

import boto3
import pytest

from serving.errors import FatalImage, UnknownEvent
from serving.model_loader import ModelLoader
from serving.results import Results
from serving.s3 import cloud_client
from serving.schemas import UploadedObject
from serving.settings import Settings
from serving.uploads.claims import Claims
from serving.uploads.events import Message, contents_of
from serving.uploads.objects import Upload
from serving.uploads.processor import UploadProcessor
from tests.support.chain import BUCKET, Context
from tests.support.clouds import empty_bucket
from tests.support.events import event_names, load_event
from tests.support.fakes import ListTelemetry, colour_classifier, picture

KEY = "uploads/a red #1%20+.jpg"
CREATED = {
    "azure-blob-created": Upload("az://uploads-bucket", KEY, None, "0x8D4BCC2E4835CD0"),
    "azure-blob-tier-changed": Upload("az://uploads-bucket", "uploads/rose.jpg", None, None),
    "google-finalized": Upload("gs://uploads-bucket", KEY, "1587627537231057", None),
}
IGNORED = {
    "azure-blob-created-data-lake": "CreateFile",
    "azure-blob-deleted": "BlobDeleted",
    "google-deleted": "deleted",
    "google-metadata-updated": "metadataUpdated",
}


def test_each_event_has_its_case() -> None:
    assert sorted([*CREATED, *IGNORED]) == event_names("azure", "google")


@pytest.mark.parametrize("name", CREATED)
def test_what_was_created_is_work(name: str) -> None:
    contents = contents_of(load_event(name))
    assert (contents.uploads, contents.ignored) == ([CREATED[name]], [])


@pytest.mark.parametrize("name", IGNORED)
def test_what_else_was_told_is_nothing_to_do_and_named(name: str) -> None:
    contents = contents_of(load_event(name))
    assert (contents.uploads, contents.ignored) == ([], [IGNORED[name]])


def test_the_size_is_told_where_the_event_says_it() -> None:
    sizes = [contents_of(load_event(name)).uploads[0].size for name in ("azure-blob-created", "google-finalized")]
    assert sizes == [524288, 352]


def test_an_etag_without_its_quotation_marks_is_the_same() -> None:
    event = load_event("azure-blob-created")
    event["data"]["eTag"] = "0x8D4BCC2E4835CD0"
    assert contents_of(event).uploads == [CREATED["azure-blob-created"]]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("azure-blob-created", {"subject": "/blobServices/default/containers/uploads-bucket"}),
        ("azure-blob-created", {"subject": None}),
        ("azure-blob-created", {"subject": f"/blobServices/default/containers/uploads-bucket/blobs/{1025 * 'x'}"}),
        ("azure-blob-created", {"data": {"api": "PutBlob"}}),
        ("azure-blob-created", {"data": {"eTag": "a\r\nb"}}),
        ("azure-blob-created", {"data": []}),
        ("google-finalized", {"data": {"bucket": "uploads-bucket", "name": KEY}}),
        ("google-finalized", {"data": {"bucket": "uploads-bucket", "name": KEY, "generation": "x"}}),
        ("google-finalized", {"data": {"bucket": "a/b", "name": KEY, "generation": "1"}}),
        ("google-finalized", {"data": {"bucket": "uploads-bucket", "name": "", "generation": "1"}}),
        ("google-finalized", {"data": None}),
    ],
)
def test_what_names_no_object_is_refused(name: str, change: dict) -> None:
    with pytest.raises(UnknownEvent):
        contents_of(load_event(name) | change)


def processor(bucket: str, client) -> tuple[UploadProcessor, ListTelemetry]:
    telemetry = ListTelemetry()
    settings = Settings(uploads_bucket=bucket)
    return UploadProcessor(settings, ModelLoader(colour_classifier), telemetry, client), telemetry


def test_an_archived_image_is_classified_when_it_is_brought_back(request, azurite) -> None:
    bucket, key = empty_bucket(request, "azurite"), "uploads/rose.jpg"
    client = cloud_client()
    settling, _ = processor(bucket, client)
    client.put_object(Bucket=bucket, Key=key, Body=picture())
    event = load_event("azure-blob-tier-changed")
    event["subject"] = event["subject"].replace(BUCKET, bucket.removeprefix("az://"))
    results = Results(client, "results/")
    place = results.key_of(key, client.head_object(Bucket=bucket, Key=key)["ETag"].strip('"'))
    for tier, code in (("Archive", "object_archived"), ("Hot", None)):
        azurite.move(bucket, key, tier)
        settling.settle([event], "request")
        result = results.read(bucket, place)
        assert (result.error and result.error.code) == code
    assert result.labels[0].name == "red"


@pytest.mark.parametrize("kind", ["azurite", "google_storage"])
def test_a_claim_that_was_never_given_back_condemns_the_image_there_too(request, kind: str) -> None:
    bucket = empty_bucket(request, kind)
    claims, item = Claims(cloud_client(), "results/"), UploadedObject(bucket, "uploads/a.jpg", etag="e")
    for receives in (2, 3):  # given back, and taken again
        with claims.alone(item, "e", Message("m", None, receives), 1000):
            pass
    unfinished = claims.alone(item, "e", Message("m", None, 4), 1000)
    unfinished.__enter__()
    with pytest.raises(FatalImage), claims.alone(item, "e", Message("m", None, 5), 1000):
        pass


@pytest.mark.parametrize("name", CREATED)
def test_on_lambda_with_a_bucket_of_s3_another_clouds_object_is_none_of_its_business(aws, name: str) -> None:
    settling, telemetry = processor(BUCKET, boto3.client("s3"))
    assert settling.handle(load_event(name), Context()) == {"results": []}
    assert telemetry.uploads[0]["outcome"] == "outside"
