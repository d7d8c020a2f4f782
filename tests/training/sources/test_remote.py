import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from model.errors import ModelNotFound
from model.image import Limits
from model.stores.addresses import address_of, folder_of
from model.stores.s3 import open_client
from tests.support.clouds import empty_bucket
from tests.support.sets import kinds, labelled
from training.errors import DatasetError
from training.run import NullProgress, Run
from training.sources.listing import Reading
from training.sources.remote import fetch, origin_of
from training.sources.source import list_images


class Counting(NullProgress):
    def __init__(self) -> None:
        self.totals: list[int] = []

    def items(self, title, items, total):
        if title == "downloading":
            self.totals.append(total)
        yield from items


@pytest.fixture
def progress() -> Counting:
    return Counting()


@pytest.fixture
def how(tmp_path: Path, progress: Counting) -> Reading:
    return Reading(Run(progress, Limits(max_bytes=1000)), tmp_path / "cache")


@pytest.fixture
def put(aws: str):
    client = boto3.client("s3")
    client.create_bucket(Bucket="photos")

    def write(**objects: bytes) -> None:
        for key, body in objects.items():
            client.put_object(Bucket="photos", Key=key, Body=body)

    write.delete = lambda key: client.delete_object(Bucket="photos", Key=key)  # type: ignore[attr-defined]
    return write


SET = {"set/rose/1.jpg": b"1", "set/lily/2.jpg": b"2", "set/": b"", "settle/x/3.jpg": b"3"}


def test_a_prefix_works_as_a_folder_does(put, how: Reading) -> None:
    put(**SET)
    listing = list_images("s3://photos/set", how)
    assert labelled(listing) == {"rose/1.jpg": "rose", "lily/2.jpg": "lily"}
    assert listing.layout == "s3://photos/set: <label>/<image>"
    assert listing.files[1].path.read_bytes() == b"1"


def test_what_did_not_change_is_not_downloaded_again(put, how: Reading, progress: Counting) -> None:
    put(**SET)
    list_images("s3://photos/set/", how)
    list_images("s3://photos/set", how)
    assert progress.totals == [2]
    put(**{"set/rose/1.jpg": b"changed"})
    put.delete("set/lily/2.jpg")
    put(**{"set/lily/4.jpg": b"4"})
    listing = list_images("s3://photos/set", how)
    assert progress.totals == [2, 2]
    assert {path: (listing.root / path).read_bytes() for path in labelled(listing)} == {
        "rose/1.jpg": b"changed",
        "lily/4.jpg": b"4",
    }


def test_images_that_stay_in_s3_are_listed_as_if_they_were_here(put, how: Reading, progress: Counting) -> None:
    table = b"file_name,label\n1.jpg,rose\ns3://photos/other/2.jpg,lily\n"
    put(**SET, **{"table/1.jpg": b"1", "other/2.jpg": b"2", "table/labels.csv": table})
    stay = replace(how, images_stay=True)
    listing = list_images("s3://photos/set", stay)
    assert labelled(listing) == {"rose/1.jpg": "rose", "lily/2.jpg": "lily"}
    assert {origin_of(file.path, how.cache) for file in listing.files} == {
        "s3://photos/set/rose/1.jpg",
        "s3://photos/set/lily/2.jpg",
    }
    assert sorted(file.label for file in list_images("s3://photos/table/labels.csv", stay).files) == ["lily", "rose"]
    assert progress.totals == [1], "the table alone"
    fetch(["s3://photos/set/rose/1.jpg"], how)
    assert {file.label: file.path.read_bytes() for file in listing.files} == {"rose": b"1", "lily": b""}


def test_what_stands_in_for_an_object_is_never_taken_for_it(put, how: Reading) -> None:
    put(**SET)
    list_images("s3://photos/set", how)
    put.delete("set/rose/1.jpg")
    list_images("s3://photos/set", how)
    put(**SET)
    list_images("s3://photos/set", replace(how, images_stay=True))
    assert list_images("s3://photos/set", how).files[1].path.read_bytes() == b"1", "though its ETag was known"


@pytest.mark.parametrize("bucket", ["my-bucket", "az://my-container", "gs://my_bucket"])
def test_a_file_of_the_cache_says_which_object_it_is_of_and_another_does_not(
    how: Reading, tmp_path: Path, bucket: str
) -> None:
    place = how.cache / "objects" / folder_of(bucket) / "set/rose/1.jpg"
    assert origin_of(place, how.cache) == address_of(bucket, "set/rose/1.jpg")
    assert origin_of(tmp_path / "rose/1.jpg", how.cache) is None


def test_a_whole_bucket_works_too(put, how: Reading) -> None:
    put(**{"rose/1.jpg": b"1", "lily/2.jpg": b"2"})
    assert len(list_images("s3://photos", how).files) == 2


def test_what_is_too_large_stays_there_and_is_said(put, how: Reading) -> None:
    put(**SET, **{"set/rose/huge.jpg": bytes(2000)})
    listing = list_images("s3://photos/set", how)
    assert kinds(listing) == {("error", "too-large", "rose/huge.jpg")}


def test_a_table_in_s3_finds_its_images_beside_it_and_elsewhere(put, how: Reading) -> None:
    put(
        **{
            "set/1.jpg": b"1",
            "other/2.jpg": b"2",
            "set/labels.csv": b"file_name,label\n1.jpg,rose\ns3://photos/other/2.jpg,lily\ngone.jpg,rose\n",
        }
    )
    listing = list_images("s3://photos/set/labels.csv", how)
    assert sorted(file.label for file in listing.files) == ["lily", "rose"]
    assert kinds(listing) == {("error", "missing", "labels.csv:4")}


def test_a_manifest_on_this_machine_names_objects(put, how: Reading, tmp_path: Path) -> None:
    put(**{"a/1.jpg": b"1", "a/2.jpg": b"2"})
    lines = [
        {"source-ref": f"s3://photos/a/{i}.jpg", "job": 0, "job-metadata": {"class-name": label}}
        for i, label in ((1, "rose"), (2, "lily"))
    ]
    (tmp_path / "output.manifest").write_text("\n".join(map(json.dumps, lines)))
    listing = list_images(tmp_path / "output.manifest", how)
    assert [file.path.read_bytes() for file in listing.files] == [b"1", b"2"]


def test_another_run_on_the_same_cache_may_remove_the_same_folders(
    put, how: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(**SET)
    list_images("s3://photos/set", how)
    put.delete("set/rose/1.jpg")
    put(**{"set/tulip/4.jpg": b"4"})
    remove, create, removed = os.rmdir, tempfile.NamedTemporaryFile, set[str]()

    def remove_after_the_other(path: Path) -> None:
        remove(path)
        removed.add(Path(path).name)
        remove(path)

    def create_after_the_other(**arguments):
        if arguments["dir"].name not in removed:
            remove(arguments["dir"])
            removed.add(arguments["dir"].name)
        return create(**arguments)

    monkeypatch.setattr(os, "rmdir", remove_after_the_other)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", create_after_the_other)
    listing = list_images("s3://photos/set", how)
    assert labelled(listing) == {"tulip/4.jpg": "tulip", "lily/2.jpg": "lily"}
    assert removed == {"rose", "tulip"}


@pytest.mark.parametrize("key", ["set/../../evil.jpg", "set/rose//1.jpg", "set/rose/..\\evil.jpg"])
def test_a_key_that_is_no_path_is_refused(put, how: Reading, tmp_path: Path, key: str) -> None:
    put(**SET, **{key: b"evil"})
    with pytest.raises(DatasetError, match="cannot be a file's path"):
        list_images("s3://photos/set", how)
    assert not list(tmp_path.rglob("evil.jpg"))


def test_a_key_that_leads_out_of_the_cache_removes_nothing_there(put, how: Reading, tmp_path: Path) -> None:
    put(**SET)
    list_images("s3://photos/set", how)
    put(**{"set/../../../../kept/1.jpg": b"evil"})
    (tmp_path / "kept").touch()
    with pytest.raises(DatasetError, match="cannot be a file's path"):
        list_images("s3://photos/set", replace(how, images_stay=True))
    assert (tmp_path / "kept").is_file()


def test_what_is_not_there_is_named(put, how: Reading) -> None:
    with pytest.raises(DatasetError, match="s3://photos/none holds no objects"):
        list_images("s3://photos/none", how)
    with pytest.raises(ModelNotFound, match="does not exist"):
        list_images("s3://no-such-bucket/none", how)


@pytest.mark.parametrize("kind", ["azurite", "google_storage"])
def test_a_container_of_another_cloud_works_as_s3_does(request, kind: str, how: Reading, progress: Counting) -> None:
    bucket = empty_bucket(request, kind)
    objects = {name: body for name, body in SET.items() if body} | {"set/rose": b""}  # a folder, as a console puts it
    objects["labels.csv"] = (
        f"file_name,label\nset/rose/1.jpg,rose\n{bucket}/set/lily/2.jpg,lily\n{bucket}/gone.jpg,rose".encode()
    )
    for key, body in objects.items():
        open_client(bucket).put_object(Bucket=bucket, Key=key, Body=body)
    for _ in range(2):
        listing = list_images(f"{bucket}/set", how)
    assert labelled(listing) == {"rose/1.jpg": "rose", "lily/2.jpg": "lily"}
    assert [file.path.read_bytes() for file in listing.files] == [b"2", b"1"]
    assert progress.totals == [2]
    table = list_images(f"{bucket}/labels.csv", how)
    assert sorted(file.label for file in table.files) == ["lily", "rose"]
    assert kinds(table) == {("error", "missing", "labels.csv:4")}


def test_an_object_that_is_a_folder_of_others_too_is_said_and_the_others_are_read(put, how: Reading) -> None:
    put(**SET, **{"set/rose": b"no image", "set/rose/2.jpg": b"22"})
    listing = list_images("s3://photos/set", how)
    assert labelled(listing) == {"rose/1.jpg": "rose", "rose/2.jpg": "rose", "lily/2.jpg": "lily"}
    assert kinds(listing) == {("error", "unreadable", "rose")}


def test_what_was_a_folder_may_be_an_object_and_the_other_way_round(put, how: Reading) -> None:
    for key, old in (("set/rose/a.jpg/1.jpg", ""), ("set/rose/a.jpg", "set/rose/a.jpg/1.jpg")):
        if old:
            put.delete(old)
        put(**SET, **{key: b"3"})
        assert kinds(list_images("s3://photos/set", how)) == set()
    put.delete("set/rose/a.jpg")
    put(**{"set/rose/a.jpg/1.jpg": b"4"})
    assert len(list_images("s3://photos/set", how).files) == 3


@pytest.mark.parametrize("stay", [False, True])
def test_what_a_table_names_may_have_been_a_folder_or_an_object_too(
    put, how: Reading, tmp_path: Path, stay: bool
) -> None:
    put(**{"b/2.jpg": b"2"})
    for key, old in (("a.jpg", ""), ("a.jpg/deep/1.jpg", "a.jpg"), ("a.jpg", "a.jpg/deep/1.jpg")):
        if old:
            put.delete(old)
        put(**{key: b"1"})
        (tmp_path / "set.csv").write_text(f"path,label\ns3://photos/{key},x\ns3://photos/b/2.jpg,y\n")
        listing = list_images(str(tmp_path / "set.csv"), replace(how, images_stay=stay))
        assert [file.path.is_file() for file in listing.files] == [True, True]
        assert listing.files[0].path.read_bytes() == (b"" if stay else b"1")
        assert kinds(listing) == set()


def test_a_table_may_stand_where_a_folder_stood(put, how: Reading) -> None:
    put(**{"set.csv/rose/1.jpg": b"1", "set.csv/lily/2.jpg": b"2"})
    assert len(list_images("s3://photos/set.csv", how).files) == 2
    for key in ("set.csv/rose/1.jpg", "set.csv/lily/2.jpg"):
        put.delete(key)
    put(**{"1.jpg": b"1", "2.jpg": b"2", "set.csv": b"path,label\n1.jpg,rose\n2.jpg,lily\n"})
    assert sorted(file.label for file in list_images("s3://photos/set.csv", how).files) == ["lily", "rose"]


def test_a_table_that_names_both_is_refused_by_the_name(put, how: Reading, tmp_path: Path) -> None:
    put(**{"a": b"1", "a/1.jpg": b"2"})
    (tmp_path / "set.csv").write_text("path,label\ns3://photos/a,x\ns3://photos/a/1.jpg,y\n")
    with pytest.raises(DatasetError, match="s3://photos/a is an object, and a folder"):
        list_images(str(tmp_path / "set.csv"), how)
