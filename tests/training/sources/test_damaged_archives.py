"""Archives that are cut, damaged, joined or larger than they say: of each it is said, and nothing of it is lost in silence."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
from pathlib import Path

import pytest

from model.image import Limits
from tests.support.archives import IMAGES, tarred, zipped
from training.errors import DatasetError
from training.run import Run
from training.sources import archives
from training.sources.listing import Reading
from training.sources.source import list_images


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


def plain_tar(names: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in names.split():
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    return file.getvalue()


@pytest.mark.parametrize("packed", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_tar_of_which_a_part_would_not_be_read_says_so(tmp_path: Path, how: Reading, packed) -> None:
    sound = plain_tar("rose/1.jpg rose/2.jpg lily/3.jpg lily/4.jpg")
    damaged = bytearray(sound)
    damaged[sound.index(b"lily/3.jpg") + 150] ^= 1
    broken = {
        "a header in it is damaged": bytes(damaged),
        "it ends before its end is marked": sound[: sound.index(b"lily/4.jpg")],
        "it goes on after its end": sound + plain_tar("tulip/5.jpg"),
    }
    for reason, data in broken.items():
        (tmp_path / "a").write_bytes(packed(data))
        with pytest.raises(DatasetError, match=rf"cannot be unpacked \({reason}"):
            list_images(tmp_path / "a", how)
    (tmp_path / "a").write_bytes(packed(sound))
    assert len(list_images(tmp_path / "a", how).files) == 4


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_tar_is_refused_wherever_it_is_cut_or_damaged(tmp_path: Path, how: Reading, pack) -> None:
    data = pack(plain_tar("rose/1.jpg lily/2.jpg"))
    for place in range(20, len(data), 7):
        for broken in (data[:place], data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]):
            (tmp_path / "a").write_bytes(broken)
            try:
                assert len(list_images(tmp_path / "a", how).files) == 2
            except DatasetError:
                continue


def test_two_zips_in_one_are_refused(tmp_path: Path, how: Reading) -> None:
    one, other = zipped(tmp_path / "a.zip", IMAGES), zipped(tmp_path / "b.zip", {"tulip/3.jpg": b"3"})
    one.write_bytes(one.read_bytes() + other.read_bytes())
    with pytest.raises(DatasetError, match="begins with files that its list does not name"):
        list_images(one, how)


def test_a_zip_whose_list_is_damaged_is_refused(tmp_path: Path, how: Reading) -> None:
    archive = zipped(tmp_path / "a.zip", IMAGES)
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 32] = 0xFF  # the length of the first entry's comment: it takes the second one
    archive.write_bytes(data)
    with pytest.raises(DatasetError, match="its list is damaged"):
        list_images(archive, how)
