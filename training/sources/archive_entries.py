"""What a .zip or a .tar lists, read to its end: an archive whose end is missing, or which goes on after it, is broken.

zipfile and tarfile stop in silence where a header is damaged, where the end is cut off, and where two archives were joined.
"""

import lzma
import os
import posixpath
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Self

MOST_LINK = 4096  # characters of where a link leads
OUTSIDE = ".outside-of-the-archive"  # where a link leads that leads out: hidden, so nothing of this name is unpacked
CHUNK = 2**20
NO_FILES = (*tarfile.SUPPORTED_TYPES, b"D", b"V")  # of GNU: a list of a folder, a volume's name; others are files
LOCAL = b"PK\x03\x04"  # what a .zip's first entry begins with
END = b"PK\x05\x06"  # what the record at its end begins with; then, 10 bytes on, how many entries there are, in 2 bytes
UTF8 = 0x800  # the bit of an entry's flags that says so of its name (APPNOTE.TXT, 4.4.4)
UNICODE_PATH = 0x7075  # a field: version, CRC-32 of the name as written, name in UTF-8 (APPNOTE.TXT, 4.6.9)
NO_LETTERS = {*range(0xA6, 0xE1), *range(0xE2, 0x100)}  # of code page 437: frames, formulas; letters in others
MOST_END = 22 + 2**16  # bytes of this record, with a comment

BROKEN = (  # what the libraries raise for broken bytes, passwords, unknown compression, and names that no disk takes
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True)
class Entry:
    name: str
    size: int  # bytes, as stated; no more are read
    open: Callable[[], IO[bytes] | None]
    link: str | None = None  # the path in the archive that it leads to, or OUTSIDE


class _Header(tarfile.TarInfo):
    """A .tar's header; one that is damaged or missing raises ReadError, where tarfile takes it for the archive's end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):  # the block of zeros that ends an archive
                raise
            reason = "it ends before its end is marked" if len(buf) < tarfile.BLOCKSIZE else "a header in it is damaged"
            raise tarfile.ReadError(f"{reason}: get a sound copy, or unpack what is left of it yourself") from error


def entries(archive: Path) -> Iterator[Entry]:
    """List the files and the links, in the archive's order. Raises one of BROKEN."""
    return _of_tar(archive) if tarfile.is_tarfile(archive) else _of_zip(archive)


def _of_tar(archive: Path) -> Iterator[Entry]:
    with tarfile.open(archive, tarinfo=_Header) as tarred:
        for member in tarred:
            if member.isfile() or member.type not in NO_FILES:
                yield Entry(member.name, member.size, partial(tarred.extractfile, member))
            elif member.islnk():
                yield Entry(member.name, 0, lambda: None, _within("", member.linkname))
            elif member.issym():
                yield Entry(member.name, 0, lambda: None, _within(member.name, member.linkname))
        while tarred.fileobj and (chunk := tarred.fileobj.read(CHUNK)):
            if any(chunk):
                raise tarfile.ReadError(
                    "it goes on after its end, as where two archives were joined: unpack it yourself (tar --ignore-zeros), "
                    "and give the folder"
                )


def _of_zip(archive: Path) -> Iterator[Entry]:
    with archive.open("rb") as file, zipfile.ZipFile(file) as zipped:
        infos = zipped.infolist()
        file.seek(0)
        if file.read(len(LOCAL)) == LOCAL and all(info.header_offset for info in infos):
            raise zipfile.BadZipFile(
                "it begins with files that its list does not name, as where two archives were joined: give each by itself"
            )
        if _stated(file) not in {len(infos) % 2**16, 2**16 - 1}:  # the latter: ZIP64 says it elsewhere
            raise zipfile.BadZipFile("its list is damaged: it is shorter than it says")
        for info in infos:
            name = _zip_name(info)
            if (info.external_attr >> 16) & 0o170000 == 0o120000:  # Unix's mode of a symbolic link
                target = zipped.read(info).decode(errors="replace") if info.file_size < MOST_LINK else ""
                yield Entry(name, info.file_size, lambda: None, _within(name, target))
            elif not name.endswith("/"):  # a folder; some systems write it with a backslash
                yield Entry(name, info.file_size, partial(zipped.open, info))


def _stated(file: IO[bytes]) -> int:
    """How many entries a .zip's last record says that there are, modulo 65,536."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - MOST_END))
    tail = file.read()
    at = tail.rindex(END) + 10
    return int.from_bytes(tail[at : at + 2], "little")


def _within(name: str, target: str) -> str:
    """The path in the archive that a link of this name leads to; an absolute one is taken from the archive's top."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target).lstrip("/"))
    return path if 0 < len(target) < MOST_LINK and ".." not in path.split("/") else OUTSIDE


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Read a name, with slashes, as the archive says that it is to be read, else as `_guessed` does. Raises BadZipFile."""
    name = info.filename
    if not info.flag_bits & UTF8:
        written = info.orig_filename.encode("cp437")  # what zipfile decoded it with: the bytes as they are
        name = _unicode_path(info.extra, written) or _guessed(written.partition(b"\0")[0])
    return name.replace("\\", "/")


def _unicode_path(extra: bytes, written: bytes) -> str | None:
    """The name that a field beside the written one states, if it is of that one; zipfile reads the field since Python 3.12 only."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == UNICODE_PATH and field.startswith(struct.pack("<BL", 1, zlib.crc32(written))):
            return field[5:].decode()
    return None


def _guessed(written: bytes) -> str:
    """Read a name in UTF-8, else in code page 437. Raises BadZipFile where its folders read as no words in that."""
    try:
        return written.decode()
    except UnicodeError:
        name = written.decode("cp437")
        if set(written.replace(b"\\", b"/").rpartition(b"/")[0]) & NO_LETTERS:
            raise zipfile.BadZipFile(
                f"its names are in an encoding that it does not state ({name!r}): unpack it yourself, or pack it anew in UTF-8"
            ) from None
        return name
