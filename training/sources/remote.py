"""Labelled images in a bucket, downloaded once: what was downloaded under an ETag is not downloaded again under it.

<cache>/objects/<bucket>/<key> holds the objects, <cache>/etags/<bucket>.jsonl a line for each that is there, whole. Where images
are read in the bucket itself, empty files stand in their places, so that a prefix is listed as a folder is.
"""

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import TYPE_CHECKING

from model.errors import ModelNotFound
from model.stores.addresses import FORMS, address_of, bucket_of, folder_of, parse_address
from training.errors import DatasetError
from training.problems import Problem, Severity
from training.sources.listing import Reading
from training.sources.names import SUFFIXES

if TYPE_CHECKING:
    from model.stores.objects import Bucket, RemoteObject

PARALLEL = 16  # objects at a time: most of the time of a small one is waiting
OBJECTS = "objects"


class _Mirror:
    """The local side of a bucket. Threads may share it."""

    def __init__(self, bucket: str, cache: Path) -> None:
        self.folder = cache / OBJECTS / folder_of(bucket)
        self._journal = cache / "etags" / f"{folder_of(bucket)}.jsonl"
        self._journal.parent.mkdir(parents=True, exist_ok=True)
        self._etags: dict[str, str] = {}
        self._lock = Lock()
        if self._journal.exists():
            for line in self._journal.read_text(encoding="utf-8").splitlines():
                try:
                    key, etag = json.loads(line)
                except ValueError:  # a run was killed in mid-write
                    continue
                self._etags[key] = etag

    def path(self, key: str) -> Path:
        if any(part in {"", ".", ".."} or "\\" in part or "\0" in part for part in key.split("/")):
            raise DatasetError(f"the object {key!r} of {self.folder.name} cannot be a file's path: rename it")
        return self.folder / key

    def holds(self, found: "RemoteObject") -> bool:
        path = self.path(found.key)
        return self._etags.get(found.key) == found.etag and path.is_file() and path.stat().st_size == found.size

    def make_way(self, key: str) -> None:
        """Remove the file that is now a folder that holds it, and the folder that it is now itself."""
        path = self.path(key)
        for folder in PurePosixPath(key).parents:
            if (self.folder / folder).is_file():
                (self.folder / folder).unlink(missing_ok=True)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)  # another run may do the same

    def note(self, found: "RemoteObject") -> None:
        with self._lock, self._journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps([found.key, found.etag]) + "\n")
            self._etags[found.key] = found.etag

    def stand_in(self, found: "RemoteObject") -> None:
        """Let it be listed, without bringing it; what is there stays."""
        path = self.path(found.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def drop_others(self, prefix: str, keys: set[str]) -> None:
        """Remove what lies below the prefix here, and no more there. Another run may do the same."""
        top = self.folder / prefix
        for here, _, files in os.walk(top, topdown=False):
            folder = Path(here)
            for path in map(folder.joinpath, files):
                if path.relative_to(self.folder).as_posix() not in keys:
                    path.unlink(missing_ok=True)
            if folder != top:
                with suppress(OSError):  # it holds something, or is gone
                    folder.rmdir()  # an object may have its name now


def download(address: str, how: Reading) -> tuple[Path, tuple[Problem, ...]]:
    """Bring an object, or all below a prefix, to this machine; return the file or folder, and what was left there.

    Raises DatasetError where nothing is there, and StoreError.
    """
    from model.stores.objects import open_bucket

    name, prefix = parse_address(address)
    bucket, mirror = open_bucket(name), _Mirror(name, how.cache)
    if prefix and (single := [found for found in bucket.list(prefix) if found.key == prefix]):
        _update(bucket, mirror, single, how)
        return mirror.path(prefix), ()
    below = f"{prefix}/" if prefix else ""
    found = [one for one in bucket.list(below) if not one.shows_folder]
    if not found:
        raise DatasetError(f"{address} holds no objects; give {FORMS} with <label>/<image> below it")
    most = how.run.limits.max_bytes
    large = {one.key for one in found if one.size > most and _is_image(one)}
    folders = _folders(found)
    taken = [one for one in found if one.key not in large | folders]
    mirror.drop_others(prefix, {one.key for one in taken})
    _update(bucket, mirror, taken, how)
    left = [
        Problem(Severity.ERROR, "too-large", key.removeprefix(below), f"has more than {most:,} bytes: not downloaded")
        for key in large
    ]
    both = "is an object, and a folder of others: not downloaded; rename it"
    left += [
        Problem(Severity.ERROR, "unreadable", one.key.removeprefix(below), both) for one in found if one.key in folders
    ]
    return mirror.folder / prefix, tuple(left)


def fetch(addresses: Iterable[str], how: Reading) -> dict[str, Path]:
    """Bring single objects here; return those that are there, by address. Raises StoreError."""
    from model.stores.objects import open_bucket

    keys: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for address in addresses:
        name, key = parse_address(address)
        keys[name][key] = address
    files: dict[str, Path] = {}
    for name, wanted in keys.items():
        bucket, mirror = open_bucket(name), _Mirror(name, how.cache)

        def look(key: str, bucket: "Bucket" = bucket) -> "RemoteObject | None":
            try:
                return bucket.head(key)
            except ModelNotFound:
                return None

        with ThreadPoolExecutor(PARALLEL) as pool:
            heads = how.run.progress.items("looking in the bucket", pool.map(look, wanted), len(wanted))
            found = [head for head in heads if head]
        if both := _folders(found) & {one.key for one in found}:
            raise DatasetError(f"{address_of(name, min(both))} is an object, and a folder of others: rename it")
        _update(bucket, mirror, found, how)
        files |= {wanted[one.key]: mirror.path(one.key) for one in found}
    return files


def _folders(objects: Iterable["RemoteObject"]) -> set[str]:
    """The folders that hold them: on a disk none of these can be a file, too."""
    return {str(folder) for one in objects for folder in PurePosixPath(one.key).parents}


def _is_image(found: "RemoteObject") -> bool:
    """By its name."""
    return Path(found.key).suffix.lower() in SUFFIXES


def origin_of(path: Path, cache: Path) -> str | None:
    """The address of the object that a file of the cache is a copy of, or stands in for; None of any other file."""
    objects = cache / OBJECTS
    if not path.is_relative_to(objects):
        return None
    folder, _, key = path.relative_to(objects).as_posix().partition("/")
    return address_of(bucket_of(folder), key)


def _update(bucket: "Bucket", mirror: _Mirror, objects: Sequence["RemoteObject"], how: Reading) -> None:
    missing = []
    for found in objects:
        stays = how.images_stay and _is_image(found)
        if not stays and mirror.holds(found):
            continue
        mirror.make_way(found.key)
        if stays:
            mirror.stand_in(found)
        else:
            missing.append(found)

    def bring(found: "RemoteObject") -> None:
        try:
            bucket.download(found.key, mirror.path(found.key))
        except FileNotFoundError:  # another run on this cache removed its folder, still empty, or its draft
            bucket.download(found.key, mirror.path(found.key))
        mirror.note(found)

    if not missing:
        return
    pool = ThreadPoolExecutor(PARALLEL)
    try:
        for _ in how.run.progress.items("downloading", pool.map(bring, missing), len(missing)):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
