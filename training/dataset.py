"""A folder of labelled images → examples and problems: every file is read, hashed and decoded once.

IMAGE_DIR/<label>/<image>: a label is the exact name of a folder. One bad file is set aside with its reason; nothing here
decides what to do about it, and nothing is written.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.errors import ImageError, ImageOutOfBounds, ImageTooLarge, UnsupportedImage
from model.image import Limits, decode, image_format, read_image
from training.errors import DatasetError
from training.run import Run

FEW = 50  # images of a class; with fewer, a part of the split may well be left without one
SUFFIXES = {  # the names that promise an image, and the format they promise
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
    ".heic": "HEIC",
    ".heif": "HEIC",
}


class Severity(StrEnum):
    ERROR = "error"  # something of the user's data is lost or contradictory
    WARNING = "warning"  # training works, perhaps not well
    NOTE = "note"  # handled; worth knowing


@dataclass(frozen=True)
class Problem:
    severity: Severity
    kind: str  # corrupt, unsupported, too-large, out-of-bounds, conflict, duplicate, misnamed, few, empty, ignored, unreadable
    path: str  # relative to the image folder
    detail: str


@dataclass(frozen=True)
class Example:
    path: Path
    label: str
    digest: str  # SHA-256 of the file's content, hexadecimal


@dataclass(frozen=True)
class Dataset:
    root: Path
    examples: tuple[Example, ...]  # readable, each content once, ordered by digest: no rename changes the order
    problems: tuple[Problem, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted({example.label for example in self.examples}))

    def problems_of(self, severity: Severity) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == severity]


@dataclass(frozen=True)
class _Reading:
    """What one file turned out to be: an example, or not; and what there is to say of it."""

    example: Example | None
    problem: Problem | None = None


Keep = Callable[
    [str, NDArray[np.uint8]], None
]  # takes a digest and the image (299, 299, 3); called from several threads


def scan(root: Path, run: Run = Run(), decoded: Container[str] = (), keep: Keep | None = None) -> Dataset:
    """Read the whole folder. Contents whose digest is in `decoded` were decoded before and are not decoded again.

    What is decoded goes to `keep` at once, and is not held here. Raises DatasetError where there is no folder of folders to
    read, and whatever `keep` raises.
    """
    files, ignored = _list_files(root)

    def read(label: str, path: Path) -> _Reading:
        return _read(root, path, label, run.limits, decoded, keep)

    pool = ThreadPoolExecutor(run.workers)
    try:
        readings = list(run.progress.items("images", pool.map(read, *zip(*files, strict=True)), len(files)))
    finally:
        pool.shutdown(cancel_futures=True)
    problems = ignored + [reading.problem for reading in readings if reading.problem]
    examples, twice = _once_each(root, [reading.example for reading in readings if reading.example])
    return Dataset(root, tuple(examples), (*problems, *twice, *_few(root, examples)))


def refuse_conflicts(dataset: Dataset) -> None:
    """Raise DatasetError where a picture has two labels: any choice of ours would teach something wrong."""
    conflicts = [problem for problem in dataset.problems_of(Severity.ERROR) if problem.kind == "conflict"]
    if conflicts:
        listed = "".join(f"\n  {problem.path}: {problem.detail}" for problem in conflicts)
        raise DatasetError(f"the same picture stands under two labels:{listed}")


def refuse_empty(dataset: Dataset) -> None:
    """Raise DatasetError where a label has no image: a model without it would not be the one that was asked for."""
    empty = [repr(problem.path) for problem in dataset.problems if problem.kind == "empty"]
    if empty:
        raise DatasetError(f"no readable image for {', '.join(empty)}: add some, or remove the folder")


def _list_files(root: Path) -> tuple[list[tuple[str, Path]], list[Problem]]:
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder; give one that holds a folder of images for each label")
    files: list[tuple[str, Path]] = []
    ignored = []
    for entry in _entries(root):
        if not _is_label(entry):
            ignored.append(Problem(Severity.NOTE, "ignored", _shown(root, entry), "not a folder of images: no label"))
            continue
        if not entry.name.isprintable():  # labels are lines of a file
            raise DatasetError(
                f"{_shown(root, entry)!r} cannot be a label: rename the folder, in UTF-8 and on one line"
            )
        for path in _entries(entry):
            if path.is_dir():
                reason = "a folder inside a label's folder is not read; move its images up"
                ignored.append(Problem(Severity.WARNING, "ignored", _shown(root, path), reason))
            elif path.name.startswith("."):
                ignored.append(Problem(Severity.NOTE, "ignored", _shown(root, path), "hidden file"))
            else:
                files.append((entry.name, path))
    if not files:
        raise DatasetError(f"{root} holds no labelled images; put them at {root}/<label>/<image>")
    return files, ignored


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DatasetError(
            f"{folder} cannot be read ({error.strerror}); give yourself permission, or move it"
        ) from error


def _shown(root: Path, path: Path) -> str:
    """The path within the folder; what is no UTF-8 in a name is spelled out."""
    return str(path.relative_to(root)).encode(errors="backslashreplace").decode()


def _is_label(entry: Path) -> bool:
    return entry.is_dir() and not entry.name.startswith(".")


def _read(root: Path, path: Path, label: str, limits: Limits, decoded: Container[str], keep: Keep | None) -> _Reading:
    name = _shown(root, path)
    promised = SUFFIXES.get(path.suffix.lower())
    try:
        data = read_image(path, limits)
        format = image_format(data)
        digest = sha256(data).hexdigest()
        tensor = None if digest in decoded else decode(data, limits).tensor
    except OSError as error:
        return _Reading(None, Problem(Severity.ERROR, "unreadable", name, error.strerror or str(error)))
    except UnsupportedImage as error:
        if promised or not data:
            return _Reading(None, Problem(Severity.ERROR, "unsupported", name, str(error)))
        return _Reading(None, Problem(Severity.NOTE, "ignored", name, "not an image"))
    except ImageError as error:
        return _Reading(None, Problem(Severity.ERROR, _kind(error), name, str(error)))
    if tensor is not None and keep:
        keep(digest, tensor)
    misnamed = Problem(Severity.NOTE, "misnamed", name, f"is a {format} by its content; read as such")
    return _Reading(Example(path, label, digest), misnamed if promised not in (format, None) else None)


def _kind(error: ImageError) -> str:
    return {ImageTooLarge: "too-large", ImageOutOfBounds: "out-of-bounds"}.get(type(error), "corrupt")


def _once_each(root: Path, examples: Sequence[Example]) -> tuple[list[Example], list[Problem]]:
    """Keep each content once; say which were duplicates, and which have two labels and so teach nothing."""
    copies: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        copies[example.digest].append(example)
    kept, problems = [], []
    for digest in sorted(copies):
        first, *others = copies[digest]
        kept.append(first)
        here = _shown(root, first.path)
        for other in others:
            there = _shown(root, other.path)
            if other.label == first.label:
                problems.append(Problem(Severity.NOTE, "duplicate", there, f"the same content as {here}; counted once"))
            else:
                detail = f"the same content as {here}, under another label; delete one of the two"
                problems.append(Problem(Severity.ERROR, "conflict", there, detail))
    return kept, problems


def _few(root: Path, examples: Sequence[Example]) -> list[Problem]:
    counts = Counter(example.label for example in examples)
    return [
        Problem(
            Severity.WARNING,
            "few",
            label,
            f"{counts[label]} readable images; {FEW} are advised, 100 and more are better",
        )
        if counts[label]
        else Problem(Severity.ERROR, "empty", label, "no readable image; add some, or remove the folder")
        for label in [entry.name for entry in _entries(root) if _is_label(entry)]
        if counts[label] < FEW
    ]
