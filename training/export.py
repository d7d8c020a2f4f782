"""A backbone and a head → a version's directory: SavedModel, proven compiled model, labels, golden images. The manifest is not here.

The compiled classifier is the compiled backbone with the head attached, so its scores are known from features, as the
SavedModel's are from its own; so are distances, and the means of maps. A few images go through both finished files, to show
that they compute just that. A compiled model that is not as good as the SavedModel (training/proof.py) is not shipped, and a more exact one is tried.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.engine import LitertEngine, Outputs
from model.golden import GoldenImage, write_golden
from model.manifest import COMPILED_MODEL, EXTRA, LABELS
from training.cache import FeatureCache
from training.compiled import attach_head
from training.dataset import Example
from training.errors import ExportError
from training.evaluation import metrics
from training.familiarity import Familiarity, distances
from training.features import Extractor, extract, extract_reference, tensor_of
from training.golden import choose_golden, copies_of, tensors_of
from training.head import Head
from training.proof import ACCURACY_LOSS, AGREEMENT, FEWEST, choose_sample, compare, describe, logits_of, scores_of
from training.run import Run
from training.saved_classifier import make_graph, run_saved, save_classifier
from training.savedmodel import Precision
from training.split import Split
from training.spool import Spool
from training.stopwatch import Stopwatch
from training.tensorflow_process import tensorflow_process

CHECKED_SAVEDMODEL = 16  # images through the finished SavedModel; 60 ms each
CHECKED_COMPILED = 4  # images through the finished compiled model
RULE = {"confidence": 0.95, "agreement_at_least": AGREEMENT, "accuracy_loss_at_most": ACCURACY_LOSS}
TOLERANCE = 1e-3  # of a probability, a distance or, in units of the largest value of a map, a logit, between a finished file and what its features say

Scores = dict[Example, NDArray[np.float32]]  # image → (K,) probabilities


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
    scores: dict[str, Scores]  # engine → test image → its scores


@dataclass(frozen=True)
class Material:
    """What a model is exported from, and proven with."""

    extractor: Extractor
    head: Head
    familiarity: Familiarity
    parts: Split
    proof_images: int  # that the SavedModel scores, at most
    features: Path  # the cache's file
    spool: Spool

    def sample(self) -> list[Example]:
        return choose_sample(self.parts, self.proof_images)


def begin_export(extractor: Extractor, labels: int, directions: int) -> None:
    """Have TensorFlow make what does not depend on what is learned, while the head is fitted."""
    tensorflow_process().submit(make_graph, extractor.saved, labels, directions)


def export(directory: Path, made: Material, run: Run, steps: Stopwatch) -> Export:
    """Write everything of a version but its manifest into `directory`, and measure it on the test images."""
    sample, tensorflow = made.sample(), tensorflow_process()
    (directory / EXTRA).mkdir(parents=True)
    with steps("SavedModel's features"):
        bottlenecks = extract_reference(sample, made.extractor, made.features, run, made.spool)
        reference = dict(zip(sample, scores_of(bottlenecks, made.head), strict=True))
    run.progress.step("writing the SavedModel")
    saved = tensorflow.submit(save_classifier, made.extractor.saved, made.head, made.familiarity, directory)
    tested = set(made.parts.test)
    scores = {"tensorflow": {example: found for example, found in reference.items() if example in tested}}
    copies = copies_of(choose_golden(scores["tensorflow"]), run.limits)
    checked = np.stack([tensor_of(example, run, made.spool) for example in sample[:CHECKED_SAVEDMODEL]])
    golden = tensors_of(copies)  # (G, 299, 299, 3)
    computed = tensorflow.submit(run_saved, directory, np.concatenate([checked, golden]), run.workers)
    with steps("compiled model"):  # while TensorFlow saves, loads and computes
        compiled, parity = _compile(directory, made, reference, checked, run)
    with steps("SavedModel"):
        saved.result()
        outputs = computed.result()
        refuse_difference("SavedModel", outputs, bottlenecks[: len(checked)], made.head, made.familiarity)
    (directory / LABELS).write_text("".join(f"{label}\n" for label in made.head.labels), encoding="utf-8")
    expected = {"tensorflow": outputs.scores[len(checked) :]}
    if compiled:
        scores["litert"] = {example: compiled[example] for example in made.parts.test}
        expected["litert"] = LitertEngine(directory / COMPILED_MODEL, threads=1).scores(golden)
    write_golden(directory, _golden(copies, expected))
    return Export(
        {engine: _metrics(found, made.head.labels) for engine, found in scores.items()},
        parity,
        _misclassified(scores.get("litert", scores["tensorflow"]), made.head.labels),
        scores,
    )


def _compile(
    directory: Path, made: Material, reference: Scores, images: NDArray[np.uint8], run: Run
) -> tuple[Scores | None, dict[str, Any]]:
    """Write the first compiled model that is good enough; return its scores, and what was measured of each that was tried."""
    held_out = sum(example in reference for example in made.parts.test)
    found: dict[str, Any] = {"rule": RULE, "held_out": held_out, "compiled": None, "refused": []}
    examples = list(dict.fromkeys([*reference, *made.parts.test]))
    classes = np.array([made.head.labels.index(example.label) for example in reference])
    for precision in Precision:
        extractor = replace(made.extractor, precision=precision)
        run.progress.step(f"compiling the {precision} model")
        cache = FeatureCache(made.features, extractor.identity)
        bottlenecks = extract(examples, extractor, cache, run, made.spool).values  # (N, D)
        cache.close()
        scores = dict(zip(examples, scores_of(bottlenecks, made.head), strict=True))
        ours = np.stack([scores[example] for example in reference])
        parity = compare(precision, np.stack(list(reference.values())), ours, classes)
        if parity.good:
            _write_compiled(directory / COMPILED_MODEL, extractor, made, images, bottlenecks)
            return scores, found | {"compiled": asdict(parity)}
        found["refused"].append(asdict(parity))
        run.progress.step(f"the {precision} model is refused: {describe(parity)}")
        if len(reference) < FEWEST:  # no precision can be proven by them
            break
    return None, found


def _write_compiled(
    path: Path, extractor: Extractor, made: Material, images: NDArray[np.uint8], bottlenecks: NDArray[np.float32]
) -> None:
    path.write_bytes(attach_head(extractor.compiled().read_bytes(), made.head, made.familiarity))
    few = images[:CHECKED_COMPILED]
    found = LitertEngine(path, threads=1).run(few)
    refuse_difference("compiled model", found, bottlenecks[: len(few)], made.head, made.familiarity)


def refuse_difference(
    name: str, found: Outputs, bottlenecks: NDArray[np.float32], head: Head, familiarity: Familiarity
) -> None:
    """Raise ExportError where a finished file does not compute of the first images what was proven."""
    assert found.distances is not None
    assert found.maps is not None
    pairs = {
        "score": (found.scores, scores_of(bottlenecks, head)),
        "distance": (found.distances, distances(bottlenecks, familiarity)),
        "map's mean": (found.maps.mean(axis=(1, 2)), logits_of(bottlenecks, head)),
    }
    scale = {"map's mean": max(1, float(np.abs(found.maps).max()))}  # float32 sums large values less exactly
    for what, (ours, expected) in pairs.items():
        difference = float(np.abs(ours[: len(expected)] - expected).max()) / scale.get(what, 1)
        if not difference <= TOLERANCE:  # NaN too
            raise ExportError(
                f"the finished {name} gives an image a {what} that is {difference:.4f} off what its features give (at most "
                f"{TOLERANCE}); nothing was published"
            )


def _metrics(scores: Scores, labels: tuple[str, ...]) -> dict[str, Any]:
    return metrics(
        np.stack(list(scores.values())), np.array([labels.index(example.label) for example in scores]), labels
    )


def _misclassified(scores: Scores, labels: tuple[str, ...]) -> tuple[Misclassification, ...]:
    named = [(example, int(row.argmax()), row) for example, row in scores.items()]
    wrong = [
        Misclassification(example.path, example.label, labels[best], float(row[best]))
        for example, best, row in named
        if labels[best] != example.label
    ]
    return tuple(sorted(wrong, key=lambda mistake: -mistake.score))


def _golden(copies: Sequence[bytes], expected: dict[str, NDArray[np.float32]]) -> list[GoldenImage]:
    return [
        GoldenImage(f"{number}.jpeg", copy, {engine: scores[number].tolist() for engine, scores in expected.items()})
        for number, copy in enumerate(copies)
    ]
