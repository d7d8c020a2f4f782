"""A finished training, or a model's answers on a folder → what a report shows. No image is read here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.classifier import Classifier
from model.decision import Decision, Thresholds, decide
from model.manifest import COMPILED_MODEL, Manifest
from training.answers import Answers
from training.calibration import calibration
from training.dataset import Dataset, Example
from training.evaluation import log_loss_interval, log_losses, unknown
from training.folds import Judged
from training.learning_curve import LearningCurve
from training.pipeline import Outcome
from training.problems import Severity
from training.report.content import (
    Bin,
    Calibration,
    Content,
    Copy,
    Curve,
    Estimate,
    Mistake,
    Origin,
    Rate,
    Suspect,
    Trial,
    Unfamiliar,
)
from training.thresholds import find_thresholds

WISHES = (0.8, 0.9, 0.95, 0.98, 0.99)  # precisions that the page offers beside the model's own


@dataclass(frozen=True)
class Place:
    """Where a model is, and how this run is repeated."""

    store: str
    version: int
    command: str


@dataclass(frozen=True, eq=False)
class Others:
    """Pictures that are none of the labels."""

    distances: NDArray[np.float32]  # (M,)
    folder: Path


def from_training(outcome: Outcome, place: Place, suspects_file: Path | None) -> Content:
    manifest, study, judged = outcome.manifest, outcome.study, outcome.trained.judged
    engine = "litert" if "litert" in outcome.scores else "tensorflow"
    examples = tuple(outcome.scores[engine])
    tested = _tested(outcome, engine, examples)
    trial = _judged(judged) if judged else tested
    return Content(
        origin=_origin(manifest, place, engine, outcome.dataset, manifest.training["images"]),
        tested=tested,
        judged=trial,
        top_k=_top_k(tested),
        log_loss=_log_loss(tested),
        mistakes=_mistakes(tested, examples, manifest.labels, manifest.thresholds),
        suspects=tuple(Suspect(s.example.path, s.example.label, s.suggested, s.confidence) for s in study.suspects),
        suspects_file=suspects_file,
        duplicates=_duplicates(outcome),
        curve=_curve(study.curve, tuned=outcome.trained.fine_tuned),
        unfamiliar=_unfamiliar(manifest.thresholds, trial.distances, None),
        calibration=_calibration(trial),
        thresholds=manifest.thresholds,
        choices=_choices(manifest.thresholds, judged),
        seconds=outcome.seconds,
        command=place.command,
        root=outcome.dataset.root,
        layout=outcome.dataset.layout,
        caution="".join(
            f"{problem.detail}." for problem in outcome.found.groups.problems if problem.kind == "alike-all"
        ),
    )


def from_evaluation(
    classifier: Classifier, dataset: Dataset, found: Answers, place: Place, others: Others | None
) -> Content:
    """What is known of a model on a folder: nothing of how it was learned from that."""
    manifest = classifier.manifest
    trial = Trial(found.scores, found.classes, found.distances, f"in {dataset.root.name}")
    return Content(
        origin=_origin(manifest, place, classifier.engine.name, dataset, {"in this folder": len(found.examples)}),
        tested=trial,
        judged=trial,
        top_k=_top_k(trial),
        log_loss=_log_loss(trial),
        mistakes=_mistakes(trial, found.examples, found.labels, manifest.thresholds),
        suspects=(),
        suspects_file=None,
        duplicates=(),
        curve=None,
        unfamiliar=_unfamiliar(manifest.thresholds, trial.distances, others),
        calibration=_calibration(trial),
        thresholds=manifest.thresholds,
        choices={},
        seconds={},
        command=place.command,
        root=dataset.root,
        layout=dataset.layout,
        caution="Worth something only where the model has seen none of these images in its training.",
    )


def _tested(outcome: Outcome, engine: str, examples: tuple[Example, ...]) -> Trial:
    labels = outcome.manifest.labels
    return Trial(
        np.stack([outcome.scores[engine][example] for example in examples]),
        np.array([labels.index(example.label) for example in examples]),
        outcome.trained.distances(outcome.dataset, examples),
        "kept for testing",
    )


def _judged(found: Judged) -> Trial:
    return Trial(found.scores, found.classes, found.distances, "each named by a model that had not seen it")


def _origin(manifest: Manifest, place: Place, engine: str, dataset: Dataset, images: Mapping[str, int]) -> Origin:
    files = manifest.files
    compiled = {"litert": files[COMPILED_MODEL].size} if COMPILED_MODEL in files else {}
    return Origin(
        name=manifest.name,
        version=place.version,
        store=place.store,
        created=manifest.created,
        labels=manifest.labels,
        engine=engine,
        images=images,
        images_by_label=Counter(example.label for example in dataset.examples),
        set_aside=len(dataset.problems_of(Severity.ERROR)),
        training=manifest.training,
        backbone=manifest.backbone,
        parity=manifest.parity,
        libraries=manifest.libraries,
        git_commit=manifest.git_commit,
        sizes=compiled | {"tensorflow": sum(entry.size for path, entry in files.items() if path != COMPILED_MODEL)},
    )


def _top_k(trial: Trial) -> dict[int, Rate]:
    """How often the true label is among the first 3, of more than ten labels among the first 5; of few labels that is no merit."""
    labels = trial.scores.shape[1]
    k = 5 if labels > 10 else 3
    best = np.argsort(-trial.scores, axis=1, kind="stable")[:, :k]  # (N, k)
    return (
        {k: Rate(int((best == trial.classes[:, np.newaxis]).any(axis=1).sum()), len(best))} if labels >= 2 * k else {}
    )


def _log_loss(trial: Trial) -> Estimate:
    losses = log_losses(trial.scores, trial.classes)  # (N,)
    low, high = log_loss_interval(losses) or (None, None)
    return Estimate(float(losses.mean()), low, high)


def _mistakes(
    trial: Trial, examples: Sequence[Example], labels: tuple[str, ...], thresholds: Thresholds | None
) -> tuple[Mistake, ...]:
    def decision(i: int) -> Decision | None:
        distance = None if trial.distances is None else float(trial.distances[i])
        return decide(thresholds, trial.scores[i], distance) if thresholds else None

    wrong = np.flatnonzero(trial.named != trial.classes)
    order = wrong[np.argsort(-trial.scores[wrong].max(axis=1), kind="stable")]
    return tuple(
        Mistake(
            examples[i].path,
            labels[trial.classes[i]],
            labels[trial.named[i]],
            float(trial.scores[i].max()),
            float(trial.scores[i, trial.classes[i]]),
            decision(i),
        )
        for i in order
    )


def _duplicates(outcome: Outcome) -> tuple[tuple[Copy, ...], ...]:
    tested = set(outcome.split.test)
    groups = outcome.found.groups.near_duplicates
    return tuple(tuple(Copy(one.path, one.label, one in tested) for one in group) for group in groups)


def _curve(found: LearningCurve | None, *, tuned: bool) -> Curve | None:
    if found is None or len(found.points) < 2:
        return None
    return Curve(found.points, (found.forecast.size, found.forecast.accuracy) if found.forecast else None, tuned)


def _calibration(trial: Trial) -> Calibration:
    found: dict[str, Any] = calibration(trial.scores.max(axis=1), trial.named == trial.classes)
    bins = tuple(Bin(one["score"], Rate(one["right"], one["n"])) for one in found["bins"])
    return Calibration(bins, found["ece"], found["floor"], found["floor_95"])


def _unfamiliar(
    thresholds: Thresholds | None, known: NDArray[np.float32] | None, others: Others | None
) -> Unfamiliar | None:
    if known is None or thresholds is None or thresholds.distance is None:
        return None
    if others is None:
        return Unfamiliar(thresholds.distance, thresholds.false_alarms, known)
    auroc = unknown(known, others.distances, thresholds)["auroc"]
    return Unfamiliar(thresholds.distance, thresholds.false_alarms, known, others.distances, auroc, others.folder.name)


def _choices(own: Thresholds | None, judged: Judged | None) -> dict[float, tuple[float | None, ...]]:
    """What thresholds would be for other precisions, by the rule and the images that the model's own were set by."""
    if own is None or judged is None:
        return {}
    return {wish: find_thresholds(judged, wish).labels for wish in sorted({*WISHES, own.precision})}
