"""What a Distributed Map's readers hand out, however each spells its columns."""

import pytest

from serving.bulk.batches import read_batch
from serving.errors import MalformedRequest, UnknownEvent
from serving.schemas import UploadedObject

ETAG = '"4c40a6f2"'


def batch(*items, source="listing", bucket="photos"):
    return read_batch({"BatchInput": {"bucket": bucket, "source": source}, "Items": list(items)})


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"key": "a b.jpg", "etag": ETAG}, UploadedObject("photos", "a b.jpg", None, "4c40a6f2")),
        ({"Etag": ETAG, "Key": "a.jpg", "Size": 7}, UploadedObject("photos", "a.jpg", None, "4c40a6f2")),
        ({"bucket": "other", "key": "a.jpg", "version_id": "v1"}, UploadedObject("other", "a.jpg", "v1", None)),
        ({"Bucket": "other", "Key": "a.jpg", "VersionId": "null"}, UploadedObject("other", "a.jpg", None, None)),
        ({"KEY": "100%+1.jpg", "versionId": ""}, UploadedObject("photos", "100%+1.jpg", None, None)),
    ],
)
def test_an_item_is_understood_however_its_columns_are_spelled(item, expected):
    assert batch(item).items == (expected,)


def test_the_keys_of_an_inventory_are_decoded_and_its_delete_markers_left_out():
    rows = [{"Key": "a+b%C3%BC.jpg", "IsDeleteMarker": "false"}, {"Key": "gone.jpg", "IsDeleteMarker": "true"}]
    assert [item.key for item in batch(*rows, source="inventory").items] == ["a bü.jpg"]


def test_markers_of_folders_are_no_images():
    assert batch({"key": "in/"}, {"key": "in/x_$folder$"}, {"key": "in/1"}).items == (UploadedObject("photos", "in/1"),)


def test_a_batch_is_known_by_what_it_holds():
    one, same = batch({"key": "a", "etag": "1"}), batch({"Key": "a", "ETag": '"1"', "Size": "7"})
    others = [batch({"key": "a", "etag": "2"}), batch({"key": "b", "etag": "1"}), batch({"key": "a"}), batch()]
    assert one.digest == same.digest
    assert len({one.digest, *(other.digest for other in others)}) == 5
    assert [found.settled for found in (one, batch({"key": "a"}))] == [True, False]


@pytest.mark.parametrize("item", [{"name": "a.jpg"}, {}, "a.jpg", {"key": ""}, {"key": None}])
def test_an_item_without_a_key_is_refused_by_its_columns(item):
    with pytest.raises(MalformedRequest, match="an item"):
        batch(item)


def test_an_item_without_a_bucket_is_refused():
    with pytest.raises(MalformedRequest, match="no bucket"):
        batch({"key": "a.jpg"}, bucket="")


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        None,
        {"Records": []},
        {"Items": "a"},
        {"Items": [], "BatchInput": "b"},
        {"Items": [], "BatchInput": {"bucket": 5}},
        {"Items": [], "Alone": 5},
    ],
)
def test_another_event_is_refused_by_what_is_understood(event):
    with pytest.raises(UnknownEvent, match=r"handler\.bulk understands"):
        read_batch(event)


def test_what_no_header_holds_is_no_etag():
    assert [item.etag for item in batch({"key": "a", "etag": "a\nb"}, {"key": "a", "etag": "é"}).items] == [None, None]


def test_half_a_character_in_a_key_harms_no_other_item():
    odd, sound = batch({"key": "a\ud800"}, {"key": "b"}).items
    assert (odd.key.encode(), sound.key) == (b"a?", "b")
