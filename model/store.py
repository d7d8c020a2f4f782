"""Where trained models are kept: <store>/<name>/<version>/, TensorFlow Serving's layout; a version never changes.

A store is a local folder (here) or s3://bucket/prefix (model/s3.py). A version without its manifest does not exist.
"""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from model.aliases import promotions_of
from model.errors import ModelNotFound, StoreForbidden
from model.manifest import MANIFEST, Manifest, verify_files

NAME = re.compile(r"(?![0-9]+$)[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # a number alone would be taken for a version
VERSION = re.compile(r"[1-9][0-9]{0,8}")
SCHEME = re.compile(r"[A-Za-z0-9+.-]{2,}:/")  # two letters at least: C:/models is a folder
ALIASES = "aliases"  # the folder beside a model's versions

Progress = Callable[[int], None]  # called with the bytes done since the last call


def quiet(_: int) -> None:
    """The progress that nobody watches."""


@dataclass(frozen=True)
class AliasFile:
    """What an alias's file holds (model/aliases.py), and a tag that changes whenever it does."""

    text: str
    tag: str


class Store(Protocol):
    """A place for models. Its methods raise ModelError for what is kept there and StoreError for the place itself."""

    uri: str

    def versions(self) -> dict[str, list[int]]:
        """Every model's complete versions, ascending, by name."""
        ...

    def read_manifest(self, name: str, version: int) -> Manifest: ...

    def pull(self, name: str, version: int, manifest: Manifest, paths: list[str], cache: Path | None) -> Path:
        """Return a local directory that holds these files of the version, their digests verified."""
        ...

    def publish(self, directory: Path, manifest: Manifest, progress: Progress = quiet) -> int:
        """Keep a finished version directory for good; return the number it got, one above the last."""
        ...

    def aliases(self, name: str) -> list[str]: ...

    def read_alias(self, name: str, alias: str) -> AliasFile | None: ...

    def write_alias(self, name: str, alias: str, text: str, seen: AliasFile | None) -> bool:
        """Replace the file whole, unless it is no longer what was seen; tell whether it was written."""
        ...


@dataclass(frozen=True)
class Place:
    """One version of one model in one store."""

    store: Store
    name: str
    version: int

    def manifest(self) -> Manifest:
        return self.store.read_manifest(self.name, self.version)

    def pull(self, manifest: Manifest, paths: list[str], cache: Path | None = None) -> Path:
        return self.store.pull(self.name, self.version, manifest, paths, cache)

    def __str__(self) -> str:
        return f"{self.store.uri}/{self.name}/{self.version}"


class LocalStore:
    """A folder. Publishing copies beside the versions, then renames: a version appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = str(root)

    def versions(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for path in self.root.glob(f"*/*/{MANIFEST}"):
            version = path.relative_to(self.root).parts[1]
            if VERSION.fullmatch(version):
                found.setdefault(path.relative_to(self.root).parts[0], []).append(int(version))
        return {name: sorted(numbers) for name, numbers in sorted(found.items())}

    def read_manifest(self, name: str, version: int) -> Manifest:
        directory = self.root / name / str(version)
        try:
            return Manifest.loads((directory / MANIFEST).read_bytes(), str(directory))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ModelNotFound(f"{directory} is not a published model: it has no {MANIFEST}") from error
        except OSError as error:
            raise StoreForbidden(f"{directory} cannot be read ({error.strerror})") from error

    def pull(self, name: str, version: int, manifest: Manifest, paths: list[str], cache: Path | None) -> Path:
        directory = self.root / name / str(version)
        verify_files(directory, manifest, paths)
        return directory

    def publish(self, directory: Path, manifest: Manifest, progress: Progress = quiet) -> int:
        verify_files(directory, manifest, manifest.files)
        shelf = self.root / manifest.name
        try:
            shelf.mkdir(parents=True, exist_ok=True)
            # the dot makes it no version, whoever lists the shelf
            draft = Path(tempfile.mkdtemp(prefix=".publishing-", dir=shelf))
        except OSError as error:
            raise StoreForbidden(f"{shelf} cannot be written ({error.strerror}); name another --store") from error
        try:
            for path, entry in manifest.files.items():
                (draft / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(directory / path, draft / path)
                progress(entry.size)
            (draft / MANIFEST).write_text(manifest.dumps(), encoding="utf-8")
            draft.chmod(0o755)  # mkdtemp's 0700 would hide the model from a server run by another user
            return self._claim(shelf, draft)
        except OSError as error:
            raise StoreForbidden(
                f"{shelf} cannot be written ({error.strerror}); make room, or name another --store"
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)  # where it became a version, it is no more

    def _claim(self, shelf: Path, draft: Path) -> int:
        version = max((int(p.name) for p in shelf.iterdir() if VERSION.fullmatch(p.name)), default=0) + 1
        while True:
            try:
                draft.rename(shelf / str(version))  # fails where a version stands: its directory is not empty
            except OSError:
                if not (shelf / str(version)).exists():
                    raise
                version += 1
            else:
                return version

    def aliases(self, name: str) -> list[str]:
        return sorted(path.stem for path in (self.root / name / ALIASES).glob("*.json"))

    def read_alias(self, name: str, alias: str) -> AliasFile | None:
        try:
            text = (self.root / name / ALIASES / f"{alias}.json").read_text()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return AliasFile(text, hashlib.sha256(text.encode()).hexdigest())

    def write_alias(self, name: str, alias: str, text: str, seen: AliasFile | None) -> bool:
        import fcntl  # no module of Windows: only who promotes needs it

        folder = self.root / name / ALIASES
        try:
            folder.mkdir(exist_ok=True)
            with (folder / f".{alias}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # closing the file lets go of it
                if self.read_alias(name, alias) != seen:
                    return False
                draft = folder / f".{alias}.draft"
                draft.write_text(text)
                draft.replace(folder / f"{alias}.json")
        except OSError as error:
            raise StoreForbidden(f"{folder} cannot be written ({error.strerror})") from error
        return True


def open_store(uri: str) -> Store:
    """Open `s3://bucket/prefix` (any endpoint through AWS_ENDPOINT_URL) or a local folder; nothing is touched yet.

    Raises ModelNotFound for what names no store.
    """
    if uri.startswith("s3://"):
        from model.s3 import open_s3_store

        return open_s3_store(uri)
    if not uri:
        raise ModelNotFound("the store has no name (an empty variable, perhaps): give a folder or s3://bucket/prefix")
    if SCHEME.match(uri):
        raise ModelNotFound(f"{uri!r} is no store that this code knows: give a folder or s3://bucket/prefix")
    return LocalStore(Path(uri).expanduser())


@dataclass(frozen=True)
class Address:
    """What a model's URI names: one version, whichever an alias points to, or the newest. Nothing is touched yet."""

    store_uri: str
    name: str
    version: int | None
    alias: str

    @classmethod
    def parse(cls, uri: str) -> "Address":
        """Read <store>/<name>, <store>/<name>/<version> or <store>/<name>@<alias>, also written <store>/<name>/@<alias>."""
        parent, _, last = uri.rstrip("/").rpartition("/")
        name, _, alias = last.partition("@")
        version = int(name) if VERSION.fullmatch(name) and not alias else None
        if version or not name:
            parent, _, name = parent.rpartition("/")
        return cls(parent or ".", name, version, alias)

    @cached_property
    def store(self) -> Store:
        return open_store(self.store_uri)

    def places(self) -> list[Place]:
        """The version to serve, then those that may stand in for it, best first. Raises ModelNotFound or StoreError."""
        return [Place(self.store, self.name, version) for version in self._versions()]

    def _versions(self) -> list[int]:
        if self.version:
            return [self.version]
        if self.alias:
            promotions = promotions_of(self.store, self.name, self.alias)
            if not promotions:
                raise ModelNotFound(
                    f"no alias {self.alias!r} of model {self.name!r} in {self.store.uri}; "
                    f"`python -m training promote` makes one"
                )
            return list(dict.fromkeys(promotion.version for promotion in reversed(promotions)))
        known = self.store.versions()
        if self.name not in known:
            raise ModelNotFound(
                f"no model {self.name!r} in {self.store.uri}; it holds: {', '.join(known) or 'none'}. "
                "A model is named by <store>/<name>, <store>/<name>/<version> or <store>/<name>@<alias>"
            )
        return known[self.name][::-1]


def locate(uri: str) -> Place:
    """Resolve a model's URI (see Address.parse) to the version that it names now.

    Raises ModelNotFound, StoreForbidden or StoreUnavailable.
    """
    return Address.parse(uri).places()[0]
