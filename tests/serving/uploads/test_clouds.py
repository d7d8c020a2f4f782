"""What Azure Blob Storage and Google Cloud Storage say of objects: which is work, which is nothing to do, which is refused."""

import pytest

from serving.errors import UnknownEvent
from serving.uploads.events import contents_of
from serving.uploads.objects import Upload
from tests.support.events import event_names, load_event

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
