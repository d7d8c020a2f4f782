"""A .zip or .tar of labelled images, unpacked once into the cache, under the SHA-256 of the archive.

Nothing is written outside of the cache, whatever an archive says: entries that lead out are refused with the whole archive,
a link becomes a copy of the entry that it leads to or nothing at all, and what unpacks to far more than any set of images is refused.
"""

import lzma
import posixpath
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from model.manifest import sha256_of
from training.errors import DatasetError
from training.problems import counted
from training.sources.listing import Reading
from training.sources.names import is_junk

MOST_FILES = 5_000_000
MOST_GROWTH = 100  # times the archive's own size; images hardly shrink, and no sound set comes near it
SMALL = 2**30  # bytes that any archive may unpack to
RESERVE = 2**30  # bytes of the disk that stay free
MOST_LINK = 4096  # characters of where a link leads
CHUNK = 2**20
PACKED = (
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\0",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",
)  # 7z, RAR and Zstandard too

BROKEN = (  # what the libraries raise for broken bytes, passwords, unknown compression and names that collide
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True)
class _Entry:
    name: str
    size: int  # bytes, as stated; no more are read
    open: Callable[[], IO[bytes] | None]
    link: str | None = None  # the name of the entry that it leads to


def is_archive(path: Path) -> bool:
    """Say whether it is one by its content. Raises DatasetError for one that is broken, or of a kind that is not read."""
    if not path.is_file():
        return False
    if zipfile.is_zipfile(path) or tarfile.is_tarfile(path):
        return True
    with path.open("rb") as file:
        if file.read(8).startswith(PACKED):
            raise DatasetError(
                f"{path} cannot be unpacked: it is cut off, or neither a .zip nor a .tar; unpack it yourself"
            )
    return False


def unpack(archive: Path, how: Reading) -> Path:
    """Return the folder with the archive's files; made now if it was not before. Raises DatasetError."""
    most = how.run.limits.max_bytes
    folder = how.cache / "unpacked" / f"{sha256_of(archive)[:32]}-{most}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
    try:
        how.run.progress.step(f"unpacking {archive.name}")
        _unpack_into(draft, archive, most)
        with suppress(OSError):  # another run may have been faster
            draft.rename(folder)
    except BROKEN as error:
        raise DatasetError(f"{archive} cannot be unpacked ({str(error) or type(error).__name__})") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _unpack_into(folder: Path, archive: Path, most: int) -> None:
    room = min(
        max(SMALL, MOST_GROWTH * archive.stat().st_size),
        max(0, shutil.disk_usage(folder).free - RESERVE),
    )
    links: list[tuple[PurePosixPath, PurePosixPath]] = []
    unpacked = 0
    for number, entry in enumerate(_entries(archive), 1):
        unpacked += entry.size
        _refuse_bomb(archive, unpacked, number, room)
        inner = _inner_path(entry.name, archive)
        if inner is None:
            continue
        if entry.link is not None:
            links.append((inner, PurePosixPath(posixpath.normpath(entry.link.lstrip("/")))))
            continue
        target = folder / inner
        target.parent.mkdir(parents=True, exist_ok=True)
        source = entry.open()
        if source:
            with source, target.open("wb") as file:
                _copy(source, file, min(entry.size, most + 1))  # one byte more than is read shows that it is too large
    for inner, entry_path in links:
        original = folder / entry_path
        if ".." in entry_path.parts or not original.is_file():
            continue
        unpacked += original.stat().st_size
        _refuse_bomb(archive, unpacked, 0, room)
        (folder / inner).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(original, folder / inner)


def _refuse_bomb(archive: Path, unpacked: int, files: int, room: int) -> None:
    if unpacked > room or files > MOST_FILES:
        raise DatasetError(
            f"{archive} unpacks to more than {room / 2**20:,.0f} MB or {counted(MOST_FILES, 'file')}: no such set of images "
            "does, or there is no room for it; unpack it yourself, and give the folder"
        )


def _copy(source: IO[bytes], file: IO[bytes], left: int) -> None:
    while left > 0 and (chunk := source.read(min(CHUNK, left))):
        file.write(chunk)
        left -= len(chunk)


def _entries(archive: Path) -> Iterator[_Entry]:
    """List the files and the links, in the archive's order."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                name = _zip_name(info)
                if (info.external_attr >> 16) & 0o170000 == 0o120000:  # Unix's mode of a symbolic link
                    link = zipped.read(info).decode(errors="replace") if info.file_size < MOST_LINK else ""
                    yield _Entry(name, info.file_size, lambda: None, posixpath.join(posixpath.dirname(name), link))
                elif not info.is_dir():
                    yield _Entry(name, info.file_size, partial(zipped.open, info))
        return
    with tarfile.open(archive) as tarred:
        for member in tarred:
            if member.isfile():
                yield _Entry(member.name, member.size, partial(tarred.extractfile, member))
            elif member.islnk():
                yield _Entry(member.name, 0, lambda: None, member.linkname)
            elif member.issym():
                link = posixpath.join(posixpath.dirname(member.name), member.linkname)
                yield _Entry(member.name, 0, lambda: None, link)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Some systems write UTF-8 and do not say so; then every name was taken for code page 437."""
    name = info.filename.replace("\\", "/")
    if info.flag_bits & 0x800:
        return name
    try:
        return name.encode("cp437").decode()
    except UnicodeError:
        return name


def _inner_path(name: str, archive: Path) -> PurePosixPath | None:
    """The path within the folder; None for what systems leave behind."""
    path = PurePosixPath(name.replace("\\", "/").lstrip("/"))
    if ".." in path.parts or "\0" in name or (path.parts and path.parts[0].endswith(":")):
        raise DatasetError(f"{archive} holds {name!r}, which leads out of it: an archive like this is not unpacked")
    return None if not path.parts or any(is_junk(part) for part in path.parts) else path
