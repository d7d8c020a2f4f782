import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.support.archives import IMAGES, tarred, zipped
from tests.support.sets import Touch, kinds, labelled
from training.errors import DatasetError
from training.sources.listing import Reading
from training.sources.source import list_images


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


def zipped_links(path: Path, links: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in IMAGES.items():
            archive.writestr(name, data)
        for name, target in links.items():
            link = zipfile.ZipInfo(name)
            link.external_attr = 0o120777 << 16
            archive.writestr(link, target)
    return path


def tarred_links(path: Path, links: dict[str, str]) -> Path:
    return tarred(path, IMAGES, links=links)


@pytest.mark.parametrize("make", [zipped_links, tarred_links])
def test_a_link_leads_to_an_entry_or_its_loss_is_said(tmp_path: Path, how: Reading, make) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    links = {
        "photos/rose/again.jpg": "1.jpg",
        "photos/lily/rose.jpg": "../rose/1.jpg",
        "photos/lily/and again.jpg": "rose.jpg",  # a link to a link that comes before, and to one that comes later
        "photos/lily/and on.jpg": "zero.jpg",
        "photos/lily/zero.jpg": "../rose/1.jpg",
    }
    lost = {
        "photos/lily/secret.jpg": str(tmp_path / "secret.jpg"),
        "photos/lily/up.jpg": "../../../../secret.jpg",
        "photos/lily/itself.jpg": "itself.jpg",
        "photos/lily/gone.jpg": "gone/1.jpg",
        "photos/lily/long.jpg": "a" * 5000,
        "photos/out": str(tmp_path),
        "beside": "nothing",
    }
    listing = list_images(make(tmp_path / "a", links | lost), how)
    contents = {path: (listing.root / path).read_bytes() for path in labelled(listing)}
    assert contents == IMAGES | dict.fromkeys(links, b"1")
    assert kinds(listing) == {("error", "unreadable", name) for name in lost}


@pytest.mark.parametrize("make", [zipped_links, tarred_links])
def test_a_link_to_a_folder_in_an_archive_is_said(tmp_path: Path, how: Reading, make) -> None:
    links = {"photos/a": "b", "photos/b": "rose", "photos/lily/up": "../.."}
    listing = list_images(make(tmp_path / "a", links), how)
    assert labelled(listing) == {"photos/rose/1.jpg": "rose", "photos/lily/2.jpg": "lily"}
    assert kinds(listing) == {("warning", "ignored", link) for link in links}


@pytest.mark.parametrize("make", [zipped_links, tarred_links])
def test_nothing_is_written_through_a_link(tmp_path: Path, how: Reading, make) -> None:
    deep = make(tmp_path / "a", {"x/y/z": "photos", "x/y/z/out": "../../../photos/rose"})
    with pytest.raises(DatasetError, match="'x/y/z/out' behind a link"):
        list_images(deep, how)
    with pytest.raises(DatasetError, match="holds 'photos/rose' twice"):
        list_images(make(tmp_path / "b", {"photos/rose": "lily"}), how)


@pytest.mark.parametrize(
    "name", ["photos/./rose/1.jpg", "photos//rose/1.jpg", "/photos/rose/1.jpg", "photos\\rose\\1.jpg"]
)
@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_file_that_an_archive_holds_twice_is_not_overwritten(tmp_path: Path, how: Reading, make, name: str) -> None:
    with pytest.raises(DatasetError, match="twice, or under a name that is the same on this disk"):
        list_images(make(tmp_path / "a", IMAGES | {name: b"another"}), how)


def test_names_that_differ_in_case_are_two_files_where_the_disk_has_two(tmp_path: Path, how: Reading) -> None:
    archive = zipped(tmp_path / "a.zip", IMAGES | {"photos/rose/1.JPG": b"another"})
    (tmp_path / "a").touch()
    if (tmp_path / "A").exists():
        with pytest.raises(DatasetError, match="the same on this disk"):
            list_images(archive, how)
    else:
        assert len(list_images(archive, how).files) == 3


def test_folders_that_windows_writes_are_no_files(tmp_path: Path, how: Reading) -> None:
    entries = {"rose\\": b"", "rose\\1.jpg": b"1", "lily\\": b"", "lily\\2.jpg": b"2"}
    listing = list_images(zipped(tmp_path / "a.zip", entries), how)
    assert labelled(listing) == {"rose/1.jpg": "rose", "lily/2.jpg": "lily"}


def test_entries_of_a_tar_of_a_type_that_is_not_known_are_files(tmp_path: Path, how: Reading) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in {"Backup": b"V", "rose": b"D", "rose/1.jpg": b"0", "lily/2.jpg": b"Z"}.items():
            member = tarfile.TarInfo(name)
            member.type = kind
            archive.addfile(member)
    assert labelled(list_images(tmp_path / "a.tar", how)) == {"rose/1.jpg": "rose", "lily/2.jpg": "lily"}


def test_a_zip_that_runs_by_itself_is_read(tmp_path: Path, how: Reading) -> None:
    archive = zipped(tmp_path / "a.exe", IMAGES)
    archive.write_bytes(b"MZ" + bytes(5000) + archive.read_bytes())
    assert len(list_images(archive, how).files) == 2


def test_a_tar_that_ends_with_a_zip_is_read_as_a_tar(tmp_path: Path, how: Reading) -> None:
    inner = zipped(tmp_path / "notes.zip", {"tulip/3.jpg": b"3"}).read_bytes()
    listing = list_images(tarred(tmp_path / "a.tar", IMAGES | {"photos/notes.zip": inner}, "w"), how)
    assert sorted(labelled(listing).values()) == ["lily", "rose"]


def test_a_name_that_no_disk_takes_is_said(tmp_path: Path, how: Reading) -> None:
    with pytest.raises(DatasetError, match=r"cannot be unpacked \(File name too long: x"):
        list_images(zipped(tmp_path / "a.zip", IMAGES | {f"photos/rose/{'x' * 300}.jpg": b"1"}), how)


def test_names_that_do_not_say_that_they_are_utf8(tmp_path: Path, how: Reading) -> None:
    archive = zipped(tmp_path / "a.zip", {"cafXX/1.jpg": b"1", "rose/2.jpg": b"2"})
    archive.write_bytes(archive.read_bytes().replace(b"cafXX", "café".encode()))
    assert sorted(labelled(list_images(archive, how)).values()) == ["café", "rose"]


@pytest.mark.parametrize("encoding", ["gbk", "shift-jis", "cp1251", "euc-kr"])
def test_folders_named_in_an_encoding_that_is_not_stated_are_refused(
    tmp_path: Path, how: Reading, encoding: str
) -> None:
    label = {"gbk": "玫瑰", "shift-jis": "薔薇", "cp1251": "розы", "euc-kr": "장미"}[encoding].encode(encoding)
    archive = zipped(tmp_path / "a.zip", {f"{'X' * len(label)}/1.jpg": b"1", "rose/2.jpg": b"2"})
    archive.write_bytes(archive.read_bytes().replace(b"X" * len(label), label))
    with pytest.raises(DatasetError, match=r"an encoding that it does not state .*pack it anew in UTF-8"):
        list_images(archive, how)


def test_names_as_msdos_wrote_them_are_read(tmp_path: Path, how: Reading) -> None:
    archive = zipped(tmp_path / "a.zip", {"cafX/1.jpg": b"1", "rose/2.jpg": b"2"})
    archive.write_bytes(archive.read_bytes().replace(b"cafX", b"caf\x82"))
    assert sorted(labelled(list_images(archive, how)).values()) == ["café", "rose"]


def zipped_with_unicode_paths(path: Path, names: dict[bytes, str], *, of: bytes = b"") -> Path:
    """A .zip whose entries state their names in the field 0x7075 beside those that are written; `of`: the field is of this name."""
    entries, listed = b"", b""
    for written, name in names.items():
        stated = struct.pack("<BL", 1, zlib.crc32(of or written)) + name.encode()
        extra = struct.pack("<HHL", 0x6375, 4, 0) + struct.pack("<HH", 0x7075, len(stated)) + stated
        common = struct.pack("<HHHHHLLLHH", 20, 0, 0, 0, 0x21, zlib.crc32(b"1"), 1, 1, len(written), len(extra))
        listed += b"PK\1\2\x14\0" + common + struct.pack("<HHHLL", 0, 0, 0, 0, len(entries)) + written + extra
        entries += b"PK\3\4" + common + written + extra + b"1"
    end = struct.pack("<HHHHLLH", 0, 0, len(names), len(names), len(listed), len(entries), 0)
    path.write_bytes(entries + listed + b"PK\5\6" + end)
    return path


@pytest.mark.parametrize(
    ("written", "label"),
    [("日本".encode(), "日本"), (b"__", "日本"), ("日本".encode("shift-jis"), "日本"), ("π".encode("cp437"), "π")],
)
def test_a_name_that_is_stated_in_unicode_beside_another_is_taken(
    tmp_path: Path, how: Reading, written: bytes, label: str
) -> None:
    names = {written + b"\\1.jpg": f"{label}\\1.jpg", b"rose/2.jpg": "rose/2.jpg"}
    archive = zipped_with_unicode_paths(tmp_path / "a.zip", names)
    assert labelled(list_images(archive, how)) == {f"{label}/1.jpg": label, "rose/2.jpg": "rose"}


def test_a_name_in_unicode_that_is_of_another_written_one_is_not_taken(tmp_path: Path, how: Reading) -> None:
    names = {b"rose/1.jpg": "old/1.jpg", b"lily/2.jpg": "old/2.jpg"}
    archive = zipped_with_unicode_paths(tmp_path / "a.zip", names, of=b"before it was renamed")
    assert labelled(list_images(archive, how)) == {"rose/1.jpg": "rose", "lily/2.jpg": "lily"}


def test_an_archive_of_archives_is_named_itself_and_says_what_it_holds(tmp_path: Path, how: Reading) -> None:
    inner = zipped(tmp_path / "inner.zip", IMAGES).read_bytes()
    archive = zipped(tmp_path / "a.zip", {"inner.zip": inner})
    with pytest.raises(DatasetError, match=r"a\.zip holds no labelled images \(inner\.zip: an archive") as refusal:
        list_images(archive, how)
    assert str(how.cache) not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"text", bytes(5000)])
def test_what_is_called_an_archive_and_is_none_is_no_table(tmp_path: Path, how: Reading, content: bytes) -> None:
    for name in ("a.zip", "a.tar", "a.tgz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DatasetError, match=rf"{name} (cannot be unpacked|holds no labelled images)"):
            list_images(tmp_path / name, how)


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
