"""Labelled images → examples and problems: every file is read, hashed and decoded once.

Where the images are and under which labels is known by training/sources. One bad file is set aside with its reason; nothing
here decides what to do about it, and nothing is written.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from model.decoding.limits import check_size
from model.errors import ImageError
from model.image import read_image
from training.content import Content, Fault, Original, content_of, fault_of
from training.errors import DatasetError
from training.pictures import Picture
from training.problems import Problem, Severity, counted
from training.run import Run
from training.sources.listing import CACHE, LabelledFile, LabelsFrom, Listing, Part, Reading, shown
from training.sources.names import SUFFIXES
from training.sources.remote import origin_of
from training.sources.source import list_images

FEW = 50  # images of a class in all; with fewer, what of them is left for testing says little
MOST_LISTED = 20  # problems in one refusal
STOPPING = {"conflict", "label", "alike", "empty", "forbidden"}  # kinds of errors that make any model a wrong one


@dataclass(frozen=True)
class Example:
    path: Path
    label: str
    digest: str  # SHA-256 of the file's content, hexadecimal: what its feature is kept under
    pixels: str  # SHA-256 of its decoded pixels: the picture's identity
    part: Part | None = None  # as the user divided the set; None: its pixels decide


@dataclass(frozen=True)
class Dataset:
    root: Path
    layout: str  # how the labels were understood
    examples: tuple[Example, ...]  # readable, each picture once, ordered by its pixels: no rename changes the order
    problems: tuple[Problem, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted({example.label for example in self.examples}))

    def problems_of(self, severity: Severity) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == severity]


Keep = Callable[
    [Example, Picture, NDArray[Any]], None
]  # takes what was made of the decoded image; called from several threads
Elsewhere = Callable[[Sequence[Original]], Iterator[tuple[int, Content | Fault]]]  # reads files, in any order


def scan(
    place: Path | str,
    run: Run = Run(),
    decoded: Mapping[str, Picture] | None = None,
    keep: Keep | None = None,
    *,
    labels_from: LabelsFrom = LabelsFrom.TOP,
    cache: Path = CACHE,
    elsewhere: Elsewhere | None = None,
) -> Dataset:
    """Read all of it. Contents whose digest is in `decoded` were decoded before and are not decoded again.

    What is decoded goes to `keep` at once, and is not held here: the image (299, 299, 3), or where it was read elsewhere its
    feature (D,). Images in a bucket are then not brought here. Raises DatasetError where there are no labelled images to read, and
    whatever `keep` and `elsewhere` raise.
    """
    listing = list_images(place, Reading(run, cache, labels_from, images_stay=elsewhere is not None))
    reader = _Reader(listing, run, {} if decoded is None else decoded, keep)
    with closing(reader.elsewhere(elsewhere, cache) if elsewhere else reader.here()) as found:
        numbered = dict(run.progress.items("images", found, len(listing.files)))
    readings = [numbered[number] for number in range(len(listing.files))]
    readable = [reading.example for reading in readings if reading.example]
    examples, twice = _once_each(listing.root, readable)
    return Dataset(
        listing.root,
        listing.layout,
        tuple(examples),
        (
            *listing.problems,
            *(problem for reading in readings for problem in reading.problems),
            *twice,
            *_empty({file.label for file in listing.files} - {example.label for example in readable}),
            *_few(examples),
        ),
    )


def refuse_conflicts(dataset: Dataset) -> None:
    """Raise DatasetError where a picture has two labels: any choice of ours would teach something wrong."""
    _refuse(dataset, {"conflict"})


def refuse_unsound(dataset: Dataset) -> None:
    """Raise DatasetError with all that no model should be made of: a label or a picture would not be what was meant."""
    _refuse(dataset, STOPPING)


def _refuse(dataset: Dataset, kinds: set[str]) -> None:
    errors = [problem for problem in dataset.problems_of(Severity.ERROR) if problem.kind in kinds]
    conflicts = [problem for problem in errors if problem.kind == "conflict"]
    others = [f"{problem.path!r}: {problem.detail}" for problem in errors if problem.kind != "conflict"]
    if conflicts:
        listed = [f"  {problem.path}: {problem.detail}" for problem in conflicts]
        others += ["the same picture stands under two labels:", *listed]
    if others:
        more = len(others) - MOST_LISTED
        rest = [f"and {more:,} more: `python -m training check {dataset.root}` lists them"] if more > 0 else []
        raise DatasetError("\n".join([*others[:MOST_LISTED], *rest]))


@dataclass(frozen=True)
class _Reading:
    """What one file turned out to be: an example, or not; and what there is to say of it."""

    example: Example | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Reader:
    """Files → readings, by their places in the listing."""

    listing: Listing
    run: Run
    decoded: Mapping[str, Picture]
    keep: Keep | None

    def here(self) -> Generator[tuple[int, _Reading]]:
        pool = ThreadPoolExecutor(self.run.workers)
        try:
            yield from enumerate(pool.map(self._read, self.listing.files))
        finally:
            pool.shutdown(cancel_futures=True)

    def _read(self, file: LabelledFile) -> _Reading:
        limits = self.run.limits
        return self._judge(file, content_of(file.path, partial(read_image, file.path, limits), self.decoded, limits))

    def elsewhere(self, read: Elsewhere, cache: Path) -> Generator[tuple[int, _Reading]]:
        files = self.listing.files
        originals = [Original(file.path.absolute(), origin_of(file.path, cache)) for file in files]
        for number, content in read(originals):
            yield number, self._judge(files[number], content)

    def _judge(self, file: LabelledFile, content: Content | Fault) -> _Reading:
        """What a file that holds this is worth."""
        name = shown(self.listing.root, file.path)
        if isinstance(content, Fault):
            return _Reading(None, (Problem(content.severity, content.kind, name, content.detail),))
        picture = content.picture or self.decoded[content.digest]
        try:
            check_size(picture.width, picture.height, self.run.limits)
        except ImageError as error:
            return self._judge(file, fault_of(error, file.path))
        example = Example(file.path, file.label, content.digest, picture.pixels, file.part)
        if content.made is not None and self.keep:
            self.keep(example, picture, content.made)
        problems = []
        if SUFFIXES.get(file.path.suffix.lower()) not in {content.format, None}:
            detail = f"is a {content.format} by its content; read as such"
            problems.append(Problem(Severity.NOTE, "misnamed", name, detail))
        if picture.damage:
            detail = f"its pixels are damaged ({picture.damage}); read as far as it goes: put a sound copy in its place"
            problems.append(Problem(Severity.WARNING, "damaged", name, detail))
        return _Reading(example, tuple(problems))


def _once_each(root: Path, examples: Sequence[Example]) -> tuple[list[Example], list[Problem]]:
    """Keep each picture once; say which were duplicates, and which have two labels and so teach nothing."""
    copies: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        copies[example.pixels].append(example)
    kept, problems = [], []
    for pixels in sorted(copies):
        first, *others = sorted(copies[pixels], key=_precedence)
        kept.append(first)
        problems += [_duplicate(root, first, other) for other in others]
    return kept, problems


def _precedence(example: Example) -> tuple[int, str]:
    """Of a picture's copies in several parts the one in the test part stays: a model must not learn what it is tested on."""
    parts = [Part.TEST, Part.VALIDATION, Part.TRAIN, None]
    return parts.index(example.part), example.digest


def _duplicate(root: Path, first: Example, other: Example) -> Problem:
    here, there = shown(root, first.path), shown(root, other.path)
    same = "the same content" if other.digest == first.digest else "the same picture, with other metadata,"
    if other.label != first.label:
        detail = f"{same} as {here}, under another label; delete one of the two"
        return Problem(Severity.ERROR, "conflict", there, detail)
    if other.part != first.part:
        detail = f"{same} as {here}, in another part of the split; counted there only"
        return Problem(Severity.WARNING, "leak", there, detail)
    return Problem(Severity.NOTE, "duplicate", there, f"{same} as {here}; counted once")


def _empty(labels: Iterable[str]) -> list[Problem]:
    detail = "no readable image; add some, or remove the folder"
    return [Problem(Severity.ERROR, "empty", label, detail) for label in sorted(labels)]


def _few(examples: Sequence[Example]) -> list[Problem]:
    counts = Counter(example.label for example in examples)
    worth = f"what is measured on so few is mostly chance; {FEW} are advised, 100 and more are better"
    return [
        Problem(Severity.WARNING, "few", label, f"{counted(count, 'readable image')}: {worth}")
        for label, count in sorted(counts.items())
        if count < FEW
    ]
