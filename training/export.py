"""A network and a head → a version's directory: SavedModel, proven compiled model, labels, golden images. The manifest is not here.

The compiled model is scored on the same held-out images as the SavedModel; one that does not agree with it is not shipped, and a
more exact one is tried.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.engine import LitertEngine, TensorflowEngine
from model.golden import GoldenImage, write_golden
from model.image import image_format
from model.manifest import COMPILED_MODEL, LABELS
from training.dataset import Example
from training.evaluation import metrics, score_files
from training.head import Head
from training.run import Run
from training.savedmodel import Precision, compile_model, save_classifier

PROOF_IMAGES = 1000  # test images that TensorFlow scores too, at about 20 a second
GOLDEN_IMAGES = 3  # each costs a cold start one decoding and one inference
AGREEMENT = 0.95  # of the compiled model's first labels with the SavedModel's, at least
ACCURACY_LOSS = 0.02  # that the compiled model may cost, at most


@dataclass(frozen=True)
class Parity:
    """A compiled model measured against the SavedModel on the same images."""

    precision: str
    images: int
    top1_agreement: float  # 0–1
    largest_difference: float  # of any probability
    accuracy_loss: float  # the SavedModel's accuracy minus the compiled model's

    @property
    def good(self) -> bool:
        return self.top1_agreement >= AGREEMENT and self.accuracy_loss <= ACCURACY_LOSS


@dataclass(frozen=True)
class Misclassification:
    """A test image that the model names wrongly."""

    path: Path
    label: str
    predicted: str
    score: float  # of the predicted label


@dataclass(frozen=True)
class Export:
    metrics: dict[str, Any]  # engine → training.evaluation.metrics on the test images
    parity: dict[str, Any]  # of the compiled model that ships, and of those that were refused
    misclassified: tuple[Misclassification, ...]  # of the engine that serves by default, the surest first


def export(directory: Path, network: Any, head: Head, test: Sequence[Example], run: Run) -> Export:
    """Write everything of a version but its manifest into `directory`, and measure it on the test images.

    `network` is a keras.Model: image uint8 (N, 299, 299, 3) → features (N, D).
    """
    run.progress.step("writing the SavedModel")
    save_classifier(network, head, directory)
    (directory / LABELS).parent.mkdir(exist_ok=True)
    (directory / LABELS).write_text("".join(f"{label}\n" for label in head.labels), encoding="utf-8")
    paths = [example.path for example in test]
    classes = np.array([head.labels.index(example.label) for example in test])  # (N,)
    proof = min(len(test), PROOF_IMAGES)
    reference = score_files(TensorflowEngine(directory, run.workers), paths[:proof], run)
    scores = {"tensorflow": reference}

    refused = []
    parity: Parity | None = None
    for precision in Precision:
        run.progress.step(f"compiling the {precision} model")
        (directory / COMPILED_MODEL).write_bytes(compile_model(directory, precision))
        compiled = score_files(LitertEngine(directory / COMPILED_MODEL, run.workers), paths, run)
        parity = compare(precision, reference, compiled[:proof], classes[:proof])
        if parity.good:
            scores["litert"] = compiled
            break
        refused.append(asdict(parity))
        run.progress.step(f"the {precision} model is refused: {describe(parity)}")
        (directory / COMPILED_MODEL).unlink()
        parity = None
    write_golden(directory, _golden(test, scores))
    return Export(
        {engine: metrics(found, classes[: len(found)], head.labels) for engine, found in scores.items()},
        {"compiled": asdict(parity) if parity else None, "refused": refused},
        _misclassified(scores.get("litert", reference), test, head.labels),
    )


def compare(
    precision: str, reference: NDArray[np.float32], compiled: NDArray[np.float32], classes: NDArray[np.int64]
) -> Parity:
    """Measure a compiled model's scores (N, K) against the SavedModel's."""
    first, ours = reference.argmax(axis=1), compiled.argmax(axis=1)
    return Parity(
        precision=precision,
        images=len(reference),
        top1_agreement=float((first == ours).mean()),
        largest_difference=float(np.abs(reference - compiled).max()),
        accuracy_loss=float((first == classes).mean() - (ours == classes).mean()),
    )


def describe(parity: Parity) -> str:
    return (
        f"it agrees with the SavedModel on {parity.top1_agreement:.1%} of {parity.images:,} images "
        f"(at least {AGREEMENT:.0%}) and costs {parity.accuracy_loss:.1%} of accuracy (at most {ACCURACY_LOSS:.0%})"
    )


def _misclassified(
    scores: NDArray[np.float32], test: Sequence[Example], labels: tuple[str, ...]
) -> tuple[Misclassification, ...]:
    named = [
        (example, labels[i], float(row[i]))
        for example, row, i in zip(test, scores, scores.argmax(axis=1), strict=False)
    ]
    wrong = [
        Misclassification(example.path, example.label, label, score)
        for example, label, score in named
        if label != example.label
    ]
    return tuple(sorted(wrong, key=lambda mistake: -mistake.score))


def _golden(test: Sequence[Example], scores: dict[str, NDArray[np.float32]]) -> list[GoldenImage]:
    """The smallest test file of each of the first classes, among those that every engine scored."""
    scored = range(min(len(found) for found in scores.values()))
    smallest = {}
    for i in sorted(scored, key=lambda i: test[i].path.stat().st_size, reverse=True):
        smallest[test[i].label] = i
    chosen = [smallest[label] for label in sorted(smallest)[:GOLDEN_IMAGES]]
    images = []
    for number, i in enumerate(chosen):
        data = test[i].path.read_bytes()
        expected = {engine: found[i].tolist() for engine, found in scores.items()}
        images.append(GoldenImage(f"{number}.{image_format(data).lower()}", data, expected))
    return images
