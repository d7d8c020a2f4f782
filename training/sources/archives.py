"""A .zip or .tar of labelled images, unpacked once into the cache, under the SHA-256 of the archive.

Nothing is written outside of the cache, whatever an archive says: entries that lead out are refused with the whole archive,
a link leads to another place in the archive or nowhere, and what unpacks to far more than any set of images is refused. So is an
archive of which something would be lost: one that is cut off, or that holds a file twice.
"""

import os
import shutil
import tarfile
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO

from model.manifest import sha256_of
from training.errors import DatasetError
from training.problems import counted
from training.sources.archive_entries import BROKEN, CHUNK, LOCAL, Entry, entries
from training.sources.listing import Reading
from training.sources.names import ARCHIVES, is_junk

MOST_FILES = 5_000_000
MOST_GROWTH = 100  # times the archive's own size; images hardly shrink, and no sound set comes near it
SMALL = 2**30  # bytes that any archive may unpack to
RESERVE = 2**30  # bytes of the disk that stay free
WAY = 4  # of unpacking: raised where what was unpacked before would come out otherwise now
PACKED = (  # 7z, RAR and Zstandard too
    LOCAL,
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\0",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",
)


def is_archive(path: Path) -> bool:
    """Say whether it is one by its content. Raises DatasetError for one that is broken, or of a kind that is not read."""
    if not path.is_file():
        return False
    with suppress(*BROKEN):
        if tarfile.is_tarfile(path) or zipfile.is_zipfile(path):
            return True
    with path.open("rb") as file:
        if file.read(8).startswith(PACKED) or path.suffix.lower() in ARCHIVES:
            raise DatasetError(
                f"{path} cannot be unpacked: it is cut off, or neither a .zip nor a .tar; unpack it yourself"
            )
    return False


def unpack(archive: Path, how: Reading) -> Path:
    """Return the folder with the archive's files; made now if it was not before. Raises DatasetError."""
    most = how.run.limits.max_bytes
    folder = how.cache / "unpacked" / f"{sha256_of(archive)[:32]}-{most}-{WAY}"
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
        raise DatasetError(f"{archive} cannot be unpacked ({_reason(error)})") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:  # of the draft, which nobody knows
        return f"{error.strerror}: {Path(error.filename).name}"
    return str(error) or type(error).__name__


def _unpack_into(folder: Path, archive: Path, most: int) -> None:
    room = min(
        max(SMALL, MOST_GROWTH * archive.stat().st_size),
        max(0, shutil.disk_usage(folder).free - RESERVE),
    )
    links: list[tuple[Entry, PurePosixPath]] = []
    unpacked = 0
    for number, entry in enumerate(entries(archive), 1):
        unpacked += entry.size
        _refuse_bomb(archive, unpacked, number, room)
        inner = _inner_path(entry.name, archive)
        if inner is None:
            continue
        if entry.link is not None:
            links.append((entry, inner))
            continue
        target = folder / inner
        target.parent.mkdir(parents=True, exist_ok=True)
        source = entry.open()
        if source:
            with source, _create(target, entry, archive) as file:
                _copy(source, file, min(entry.size, most + 1))  # one byte more than is read shows that it is too large
    for entry, inner in links:  # after all files: nothing is written through a link
        _link(folder, inner, entry, archive)


def _create(target: Path, entry: Entry, archive: Path) -> IO[bytes]:
    try:
        return target.open("xb")  # the disk knows which names are the same to it
    except FileExistsError as error:
        raise _twice(entry, archive) from error


def _link(folder: Path, inner: PurePosixPath, entry: Entry, archive: Path) -> None:
    """Make a link to a place in the folder. None lies behind another one: so all lead where their targets say, and not out."""
    if any((folder / parent).is_symlink() for parent in inner.parents):
        raise DatasetError(f"{archive} holds {entry.name!r} behind a link: an archive like this is not unpacked")
    path = folder / inner
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.exists():
        raise _twice(entry, archive)
    path.symlink_to(os.path.relpath(folder / (entry.link or ""), path.parent))


def _twice(entry: Entry, archive: Path) -> DatasetError:
    return DatasetError(
        f"{archive} holds {entry.name!r} twice, or under a name that is the same on this disk, and one would be lost: "
        "rename one of the two"
    )


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


def _inner_path(name: str, archive: Path) -> PurePosixPath | None:
    """The path within the folder; None for what systems leave behind."""
    path = PurePosixPath(name.replace("\\", "/").lstrip("/"))
    if ".." in path.parts or "\0" in name or (path.parts and path.parts[0].endswith(":")):
        raise DatasetError(f"{archive} holds {name!r}, which leads out of it: an archive like this is not unpacked")
    return None if not path.parts or any(is_junk(part) for part in path.parts) else path
