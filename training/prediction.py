"""Which images `predict` is asked for, and what it finds: files, folders, patterns or standard input → one result each."""

import glob
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from model.classifier import Classifier, Label
from model.decision import Decision
from model.errors import ImageError, ModelIncompatible
from model.heat_map import heat_map
from model.image import DecodedImage, decode, image_format, read_image
from training.run import Run
from training.sources.names import SUFFIXES, is_junk

BATCH = 8  # images; LiteRT on several threads gains a fifth over single ones
STDIN = "-"


@dataclass(frozen=True)
class Source:
    """An image to name: its file, or the bytes that came by standard input."""

    name: str
    path: Path | None = None
    data: bytes = b""


@dataclass(frozen=True, eq=False)
class Heat:
    """Where the first label comes from."""

    picture: DecodedImage
    map: NDArray[np.float32]  # (8, 8), see model.heat_map


@dataclass(frozen=True)
class Prediction:
    source: Source
    labels: tuple[Label, ...] = ()  # the surest first; none where all are below the least score
    decision: Decision | None = None  # None: the model cannot judge its answers
    heat: Heat | None = None  # where it was asked for
    problem: str | None = None  # why the image could not be read


def find_sources(names: Iterable[str], stdin: BinaryIO) -> Iterator[Source]:
    """List what is meant: a folder's images at any depth, a pattern's files, an image or a list of names by standard input."""
    for name in names:
        if name == STDIN:
            yield from _from_stdin(stdin)
        else:
            yield from _from_name(name)


def _from_stdin(stdin: BinaryIO) -> Iterator[Source]:
    data = stdin.read()
    try:
        image_format(data)
    except ImageError:
        for name in data.decode(errors="surrogateescape").replace("\0", "\n").splitlines():
            if name.strip():
                yield from _from_name(name)
    else:
        yield Source("(standard input)", None, data)


def _from_name(name: str) -> Iterator[Source]:
    path = Path(name)
    if path.is_dir():
        found: Iterable[Path] = (file for file in sorted(path.rglob("*")) if _is_image(path, file))
    elif not path.exists() and glob.has_magic(name):  # a shell has expanded patterns; Windows' has not
        found = [Path(match) for match in sorted(glob.glob(name, recursive=True)) if Path(match).is_file()]  # noqa: PTH207 - an absolute pattern, too
        found = found or [path]
    else:
        found = [path]
    yield from (Source(str(file), file) for file in found)


def _is_image(folder: Path, file: Path) -> bool:
    hidden = any(is_junk(part) for part in file.relative_to(folder).parts)
    return not hidden and file.suffix.lower() in SUFFIXES and file.is_file()


@dataclass(frozen=True)
class Wish:
    """What is to be said of each image."""

    top_k: int = 1
    min_score: float = 0.0
    heat: bool = False


def predict(classifier: Classifier, sources: Sequence[Source], wish: Wish, run: Run) -> Iterator[Prediction]:
    """Name the images in their order; one that cannot be read gets its reason, and the next one its turn.

    Raises ModelIncompatible where heat is wished for, and the model is older than its maps.
    """

    def read(source: Source) -> DecodedImage | str:
        try:
            data = read_image(source.path, run.limits) if source.path else source.data
            return decode(data, run.limits)
        except (ImageError, OSError) as error:
            return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)

    with ThreadPoolExecutor(run.workers) as pool:
        for start in range(0, len(sources), BATCH):
            batch = sources[start : start + BATCH]
            read_ones = list(pool.map(read, batch))
            answers = iter(_answers(classifier, [one for one in read_ones if not isinstance(one, str)], wish))
            for source, found in zip(batch, read_ones, strict=True):
                if isinstance(found, str):
                    yield Prediction(source, problem=found)
                else:
                    yield replace(next(answers), source=source)


def _answers(classifier: Classifier, images: list[DecodedImage], wish: Wish) -> Iterator[Prediction]:
    if not images:
        return
    outputs = classifier.engine.run(np.stack([image.tensor for image in images]))  # (B, 299, 299, 3)
    if wish.heat and outputs.maps is None:
        raise ModelIncompatible(
            f"{classifier.manifest.name} {classifier.version} was made before models could say where they see what they "
            "name: retrain it, or leave --explain out"
        )
    decisions = classifier.decisions(outputs)
    for number, image in enumerate(images):
        scores = outputs.scores[number]
        labels = tuple(classifier.rank(scores, wish.top_k, wish.min_score))
        heat = Heat(image, heat_map(outputs.maps[number], scores)) if wish.heat and outputs.maps is not None else None
        yield Prediction(Source(""), labels, decisions[number], heat)
