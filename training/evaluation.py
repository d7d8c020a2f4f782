"""How good a model is: image files → scores → figures. Counts are summed, divided once, and always shown with their N."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.classifier import Classifier
from model.engine import Engine
from model.image import decode
from training.dataset import Dataset, refuse_conflicts
from training.errors import DatasetError
from training.run import Run
from training.sources.names import normalised

BATCH = 8  # images; TensorFlow on a CPU gains a third over single ones, and no more beyond


def evaluate(classifier: Classifier, dataset: Dataset, run: Run) -> dict[str, Any]:
    """Measure a model on labelled images. Raises DatasetError where they say nothing about it."""
    refuse_conflicts(dataset)
    labels = [normalised(label) for label in classifier.manifest.labels]
    if unknown := sorted(set(dataset.labels) - set(labels)):
        raise DatasetError(f"{dataset.root} has labels that the model does not know: {', '.join(unknown)}")
    if not dataset.examples:
        raise DatasetError(f"{dataset.root} has no readable image; see `python -m training check {dataset.root}`")
    scores = score_files(classifier.engine, [example.path for example in dataset.examples], run)
    return metrics(scores, np.array([labels.index(example.label) for example in dataset.examples]), labels)


def score_files(engine: Engine, paths: Sequence[Path], run: Run) -> NDArray[np.float32]:
    """Return the scores (N, K) of the images, in their order. Raises ImageError for the first that cannot be read."""

    def tensor(path: Path) -> NDArray[np.uint8]:
        return decode(path.read_bytes(), run.limits).tensor  # (299, 299, 3)

    def batches() -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(paths), BATCH):
            images = np.stack(list(pool.map(tensor, paths[start : start + BATCH])))  # (B, 299, 299, 3)
            yield from engine.scores(images)

    with ThreadPoolExecutor(run.workers) as pool:
        return np.stack(list(run.progress.items(f"scoring with {engine.name}", batches(), len(paths))))


def metrics(scores: NDArray[np.float32], classes: NDArray[np.int64], labels: Sequence[str]) -> dict[str, Any]:
    """Describe scores (N, K) against the true classes (N,), as plain values for a manifest.

    The interval is Wilson's, at 95 %: it stays within 0–1 and holds for small N (Wilson, 1927).
    """
    predicted = scores.argmax(axis=1)  # (N,)
    correct = int((predicted == classes).sum())
    confusion = np.zeros((len(labels), len(labels)), int)  # [true, predicted]
    np.add.at(confusion, (classes, predicted), 1)
    recalls = [confusion[i, i] / total for i, total in enumerate(confusion.sum(axis=1)) if total]
    chosen = np.clip(scores[np.arange(len(classes)), classes], 1e-7, 1)
    return {
        "n": len(classes),
        "accuracy": correct / len(classes),
        "accuracy_interval": interval(correct, len(classes)),
        "balanced_accuracy": float(np.mean(recalls)),  # the mean over classes, however many images each has
        "log_loss": float(-np.log(chosen).mean()),
        "confusion": confusion.tolist(),
    }


def interval(correct: int, n: int) -> list[float]:
    """Wilson's 95 % confidence interval of a proportion."""
    from scipy.stats import binomtest

    found = binomtest(correct, n).proportion_ci(method="wilson")
    return [float(found.low), float(found.high)]


def sentence(found: dict[str, Any]) -> str:
    """Write an accuracy as every figure here is written: with N and its interval."""
    low, high = found["accuracy_interval"]
    return f"{found['accuracy']:.1%} of N = {found['n']:,} (95 % interval {low:.1%} – {high:.1%})"
