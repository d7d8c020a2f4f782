"""What a trained model says of itself: `assets.extra/manifest.json`, written last, so its presence means "complete".

It knows the layout of a version's directory, and neither where that directory is kept nor how its files are run.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from model.decision import Thresholds
from model.errors import ModelCorrupt, ModelIncompatible

SCHEMA = 1  # of the manifest; a reader refuses a newer one
EXTRA = "assets.extra"  # SavedModel's own place for files that TensorFlow does not read
MANIFEST = f"{EXTRA}/manifest.json"
LABELS = f"{EXTRA}/labels.txt"  # one label a line, in score order
COMPILED_MODEL = f"{EXTRA}/model.tflite"  # what LiteRT runs
CARD = f"{EXTRA}/model-card.md"  # what the model is for, for people
LONGEST_NAME = 255  # bytes of a file's name: the limit of ext4, XFS and APFS
LONGEST_PATH = 900  # bytes of a path: S3's keys have 1,024, and a version's folder stands before it
GOLDEN = f"{EXTRA}/golden"  # a few test images and the scores they must get


@dataclass(frozen=True)
class _Schema:
    schema: Annotated[int, Meta(ge=1)]


@dataclass(frozen=True)
class FileEntry:
    sha256: str  # hexadecimal
    size: int  # bytes


@dataclass(frozen=True)
class Manifest:
    name: str
    created: str  # ISO 8601, UTC
    labels: Annotated[tuple[str, ...], Meta(min_length=1)]  # in score order
    preprocessing: str  # model.image.PREPROCESSING of the code that trained it
    backbone: Mapping[str, Any]  # name, weights, SHA-256 of the weights
    training: Mapping[str, Any]  # what was learned from what: counts, split digest, regularisation, seed
    metrics: Mapping[str, Any]  # on the test split, for each engine, with N and 95 % intervals
    parity: Mapping[str, Any]  # the compiled model against the SavedModel
    libraries: Mapping[str, str]  # versions
    git_commit: str | None
    files: Mapping[str, FileEntry]  # path relative to the version's directory → what it must be
    schema: int = SCHEMA
    thresholds: Thresholds | None = None  # None: the model is older than they are, or had too few images for them
    golden_log_odds: Annotated[float, Meta(gt=0)] | None = None  # see model.golden; None: an older model

    def dumps(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode() + "\n"

    @classmethod
    def loads(cls, text: str | bytes, where: str) -> "Manifest":
        """Read a manifest; `where` names it in errors. Raises ModelCorrupt or ModelIncompatible."""
        try:
            schema = msgspec.json.decode(text, type=_Schema).schema
            if schema > SCHEMA:
                raise ModelIncompatible(
                    f"{where}: its manifest has schema {schema}, this code reads up to {SCHEMA}: upgrade this code"
                )
            manifest = msgspec.json.decode(text, type=cls)
            _refuse_labels(manifest.labels)
            _refuse_others(manifest)
            _refuse_places(manifest.files)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise ModelCorrupt(f"{where}: its manifest cannot be read ({error}); publish the model again") from error
        return manifest


def _refuse_labels(labels: tuple[str, ...]) -> None:
    if len(set(labels)) < len(labels):
        raise ValueError("a label stands there twice")
    if not all(map(str.strip, labels)):
        raise ValueError("a label is empty")


def _refuse_others(manifest: Manifest) -> None:
    if manifest.thresholds and len(manifest.thresholds.labels) != len(manifest.labels):
        raise ValueError(f"it has {len(manifest.labels)} labels, and thresholds of {len(manifest.thresholds.labels)}")


def _refuse_places(paths: Iterable[str]) -> None:
    """Raise ValueError where these cannot all be files of one directory."""
    folders = set()
    for path in paths:
        _refuse_outside(path)
        folders |= {str(folder) for folder in PurePosixPath(path).parents}
    if twice := folders & set(paths):
        raise ValueError(f"{min(twice)!r:.80} is both a file and a folder")


def _refuse_outside(path: str) -> None:
    """Raise ValueError, or UnicodeError, where this is no path of a file inside a version's directory."""
    parts = PurePosixPath(path)
    if not parts.parts or parts.is_absolute() or ".." in parts.parts or "\\" in path or "\0" in path:
        raise ValueError(f"file path {path!r} leads out of the model")
    if str(parts) != path or path == MANIFEST:
        raise ValueError(f"file path {path!r:.80} must be written plainly, as a/b, and is not the manifest's own")
    if len(path.encode()) > LONGEST_PATH or any(len(part.encode()) > LONGEST_NAME for part in parts.parts):
        raise ValueError(f"file path {path!r:.80} is too long")


def describe_files(directory: Path) -> dict[str, FileEntry]:
    """List every file of a version's directory but the manifest, by relative path."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    entries = {path.relative_to(directory).as_posix(): path for path in paths}
    return {name: FileEntry(sha256_of(path), path.stat().st_size) for name, path in entries.items() if name != MANIFEST}


def verify_files(directory: Path, manifest: Manifest, paths: Iterable[str]) -> None:
    """Raise ModelCorrupt, naming the file, unless each of `paths` is there and is the one that was published."""
    for path in paths:
        if path not in manifest.files:
            raise ModelCorrupt(f"{directory}: its manifest lists no {path}; publish the model again")
        entry, file = manifest.files[path], directory / path
        if not file.is_file():
            raise ModelCorrupt(f"{file} is missing: the model is incomplete; pull or publish it again")
        if file.stat().st_size != entry.size or sha256_of(file) != entry.sha256:
            raise ModelCorrupt(f"{file} is not the file that was published (its SHA-256 differs); pull it again")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
