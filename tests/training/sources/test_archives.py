import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from model.image import Limits
from tests.support.sets import Touch, kinds, labelled
from training.errors import DatasetError
from training.run import Run
from training.sources import archives
from training.sources.listing import Reading
from training.sources.source import list_images

IMAGES = {"photos/rose/1.jpg": b"1", "photos/lily/2.jpg": b"2"}


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, entries: dict[str, bytes], mode: str = "w:gz", links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in entries.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return path


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz", "no suffix"])
def test_an_archive_is_read_as_the_folder_in_it(tmp_path: Path, how: Reading, name: str) -> None:
    mode = {"tar": "w", "bz2": "w:bz2", "xz": "w:xz"}.get(name.rpartition(".")[2], "w:gz")
    make = zipped(tmp_path / name, IMAGES) if name == "a.zip" else tarred(tmp_path / name, IMAGES, mode)
    listing = list_images(make, how)
    assert labelled(listing) == {"photos/rose/1.jpg": "rose", "photos/lily/2.jpg": "lily"}
    assert listing.layout.startswith(f"{name}: <label>/<image>, within photos")


def test_it_is_unpacked_once(tmp_path: Path, how: Reading) -> None:
    archive = zipped(tmp_path / "a.zip", IMAGES)
    first = list_images(archive, how).files[0].path
    before = first.stat().st_mtime_ns
    assert list_images(archive, how).files[0].path.stat().st_mtime_ns == before
    zipped(archive, IMAGES | {"photos/rose/3.jpg": b"3"})
    assert len(list_images(archive, how).files) == 3


@pytest.mark.parametrize(
    "name", ["../evil.jpg", "rose/../../evil.jpg", "rose/..\\..\\evil.jpg", "C:\\evil.jpg", "C:/evil.jpg"]
)
@pytest.mark.parametrize("make", [zipped, tarred])
def test_no_entry_leads_out(tmp_path: Path, how: Reading, make, name: str) -> None:
    archive = make(tmp_path / "archive", IMAGES | {name: b"evil"})
    with pytest.raises(DatasetError, match="leads out of it"):
        list_images(archive, how)
    assert not list(tmp_path.rglob("*evil*"))
    assert not list((tmp_path / "cache").rglob("*.jpg"))


@pytest.mark.parametrize("make", [zipped, tarred])
def test_an_absolute_name_lies_within(tmp_path: Path, how: Reading, make) -> None:
    archive = make(tmp_path / "archive", {f"/{name}": data for name, data in IMAGES.items()})
    assert len(list_images(archive, how).files) == 2
    assert (tmp_path / "cache") in list_images(archive, how).files[0].path.parents


def test_a_link_is_a_copy_of_an_entry_or_nothing(tmp_path: Path, how: Reading) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    links = {
        "photos/rose/again.jpg": "1.jpg",
        "photos/lily/rose.jpg": "../rose/1.jpg",
        "photos/lily/secret.jpg": str(tmp_path / "secret.jpg"),
        "photos/lily/up.jpg": "../../../../secret.jpg",
        "photos/lily/itself.jpg": "itself.jpg",
        "photos/out": str(tmp_path),
    }
    listing = list_images(tarred(tmp_path / "a.tgz", IMAGES, links=links), how)
    contents = {path: (listing.root / path).read_bytes() for path in labelled(listing)}
    assert contents == IMAGES | {"photos/rose/again.jpg": b"1", "photos/lily/rose.jpg": b"1"}


def test_a_link_of_a_zip_is_a_copy_too(tmp_path: Path, how: Reading) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in IMAGES.items():
            archive.writestr(name, data)
        for name, target in {"photos/rose/again.jpg": "1.jpg", "photos/rose/out.jpg": "/etc/passwd"}.items():
            link = zipfile.ZipInfo(name)
            link.external_attr = 0o120777 << 16
            archive.writestr(link, target)
    listing = list_images(tmp_path / "a.zip", how)
    assert (listing.root / "photos/rose/again.jpg").read_bytes() == b"1"
    assert len(listing.files) == 3


def test_a_bomb_is_refused_before_it_fills_the_disk(
    tmp_path: Path, how: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "SMALL", 2**20)
    flat = bytes(2**20)
    for make in (zipped, tarred):
        archive = make(tmp_path / make.__name__, {f"rose/{i}.bmp": flat for i in range(50)})
        with pytest.raises(DatasetError, match="unpacks to more than"):
            list_images(archive, how)
        assert not list((tmp_path / "cache").rglob("*.bmp"))


def test_a_file_beyond_the_limit_is_cut_where_that_shows(tmp_path: Path) -> None:
    how = Reading(Run(limits=Limits(max_bytes=1000)), tmp_path / "cache")
    listing = list_images(zipped(tmp_path / "a.zip", IMAGES | {"photos/rose/huge.jpg": bytes(10**6)}), how)
    assert (listing.root / "photos/rose/huge.jpg").stat().st_size == 1001


def test_a_stated_size_that_is_a_lie_is_not_believed(tmp_path: Path, how: Reading) -> None:
    archive = zipped(tmp_path / "a.zip", IMAGES | {"photos/rose/big.jpg": bytes(10**6)})
    data = bytearray(archive.read_bytes())
    at = data.rindex(b"PK\x01\x02")  # the last entry of the central directory
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    archive.write_bytes(data)
    with pytest.raises(DatasetError, match="cannot be unpacked"):
        list_images(archive, how)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_an_archive_that_is_cut_off_says_so(tmp_path: Path, how: Reading, mode: str) -> None:
    archive = tarred(tmp_path / "a.tgz", {f"rose/{i}.jpg": f"{i}".encode() * 997 for i in range(300)}, mode)
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2 + 7])
    with pytest.raises(DatasetError, match="cannot be unpacked"):
        list_images(archive, how)
    assert not list((tmp_path / "cache").rglob("*.jpg"))


def test_names_that_do_not_say_that_they_are_utf8(tmp_path: Path, how: Reading) -> None:
    archive = zipped(tmp_path / "a.zip", {"cafXX/1.jpg": b"1", "rose/2.jpg": b"2"})
    archive.write_bytes(archive.read_bytes().replace(b"cafXX", "café".encode()))
    assert sorted(labelled(list_images(archive, how)).values()) == ["café", "rose"]


def test_a_table_in_an_archive_names_nothing_outside_of_it(tmp_path: Path, how: Reading) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    rows = ["images/1.jpg,rose", f"{tmp_path}/secret.jpg,rose", "../../../secret.jpg,rose", "s3://bucket/1.jpg,rose"]
    table = "path,label\n" + "\n".join(rows)
    archive = zipped(tmp_path / "a.zip", {"images/1.jpg": b"1", "labels.csv": table.encode()})
    listing = list_images(archive, how)
    assert labelled(listing) == {"images/1.jpg": "rose"}
    assert {kind for _, kind, _ in kinds(listing)} == {"missing"}


def test_junk_is_not_unpacked(tmp_path: Path, how: Reading) -> None:
    listing = list_images(zipped(tmp_path / "a.zip", IMAGES | {"__MACOSX/photos/rose/._1.jpg": b"x"}), how)
    assert len(listing.files) == 2
    assert listing.problems == ()


def test_a_file_that_is_nothing_of_this_says_what_is_read(photos: Touch, how: Reading) -> None:
    photos("notes.txt")
    with pytest.raises(DatasetError, match="is not a folder, no archive, and no table of images"):
        list_images(photos.root / "notes.txt", how)
