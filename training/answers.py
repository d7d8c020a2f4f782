"""What a model makes of image files: the answers that it is measured by."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.classifier import Classifier
from model.engine import Engine, Outputs
from model.errors import ImageError
from model.image import decode, read_image
from training.dataset import Dataset, Example, refuse_conflicts
from training.errors import DatasetError
from training.prediction import find_sources
from training.run import Run
from training.sources.names import normalised

BATCH = 8  # images; TensorFlow on a CPU gains a third over single ones, and no more beyond


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model says of labelled images, and what they are."""

    examples: tuple[Example, ...]
    labels: tuple[str, ...]  # in score order
    classes: NDArray[np.int64]  # (N,), indices into the labels
    scores: NDArray[np.float32]  # (N, K)
    distances: NDArray[np.float32] | None  # (N,); None: the model is older than distances


def answer(classifier: Classifier, dataset: Dataset, run: Run) -> Answers:
    """Put the images to the model. Raises DatasetError where they say nothing about it."""
    refuse_conflicts(dataset)
    labels = tuple(normalised(label) for label in classifier.manifest.labels)
    if unknown := sorted(set(dataset.labels) - set(labels)):
        raise DatasetError(
            f"{dataset.root} has labels that the model {classifier.manifest.name} {classifier.version} does not know: "
            f"{', '.join(unknown)}; leave their images out, or take a model that was trained on them"
        )
    if not dataset.examples:
        raise DatasetError(f"{dataset.root} has no readable image; see `python -m training check {dataset.root}`")
    outputs = list(_outputs(classifier.engine, [example.path for example in dataset.examples], run))
    return Answers(
        dataset.examples,
        labels,
        np.array([labels.index(example.label) for example in dataset.examples]),
        np.concatenate([found.scores for found in outputs]),
        _distances(outputs),
    )


def distances_of_others(classifier: Classifier, folder: Path, run: Run) -> NDArray[np.float32]:
    """Distances (M,) of a folder's images, which are none of the labels; what cannot be read is left out.

    Raises DatasetError where there is nothing to measure.
    """
    paths = [source.path for source in find_sources([str(folder)], BytesIO()) if source.path]
    outputs = list(_outputs(classifier.engine, paths, run, skip=True))
    distances = _distances(outputs)
    if distances is None:
        raise DatasetError(
            f"the model {classifier.manifest.name!r} gives no distances, so nothing is unknown to it: retrain it"
            if outputs
            else f"{folder} has no readable image: name a folder of images that are none of the labels"
        )
    return distances


def _distances(outputs: Sequence[Outputs]) -> NDArray[np.float32] | None:
    found = [one.distances for one in outputs if one.distances is not None]
    return np.concatenate(found) if found else None


def _outputs(engine: Engine, paths: Sequence[Path], run: Run, *, skip: bool = False) -> Iterator[Outputs]:
    """What the engine computes, batch by batch, in order. Raises ImageError for an image that cannot be read, unless skipped."""

    def tensor(path: Path) -> NDArray[np.uint8] | None:
        try:
            return decode(read_image(path, run.limits), run.limits).tensor  # (299, 299, 3)
        except (ImageError, OSError):
            if skip:
                return None
            raise

    with ThreadPoolExecutor(run.workers) as pool:
        starts = range(0, len(paths), BATCH)
        for start in run.progress.items(f"scoring with {engine.name}", starts, len(starts)):
            tensors = [found for found in pool.map(tensor, paths[start : start + BATCH]) if found is not None]
            if tensors:
                outputs = engine.run(np.stack(tensors))  # (B, 299, 299, 3)
                yield Outputs(outputs.scores, outputs.distances)  # maps are large, and nothing is measured by them
