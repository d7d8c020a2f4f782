"""A finished training, or a model's scores on a folder → what a report shows. Images are read by nobody here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.manifest import COMPILED_MODEL, Manifest
from training.dataset import Example
from training.folds import Judged
from training.learning_curve import LearningCurve
from training.pipeline import Outcome
from training.problems import Severity
from training.report.content import (
    Answers,
    Content,
    Copy,
    Curve,
    Estimate,
    Mistake,
    Origin,
    Rate,
    Suspect,
    Thresholds,
    Unfamiliar,
)
from training.report.reliability import calibration
from training.thresholds import find_thresholds

WISHES = (0.8, 0.9, 0.95, 0.98, 0.99)  # precisions that the page offers beside the model's own


@dataclass(frozen=True)
class Place:
    """Where a model is, and how this run is repeated."""

    store: str
    version: int
    command: str


def from_training(outcome: Outcome, place: Place, suspects_file: Path | None = None) -> Content:
    manifest, dataset = outcome.manifest, outcome.dataset
    engine = "litert" if "litert" in outcome.scores else "tensorflow"
    tested = _tested(outcome, engine)
    judged, study = outcome.trained.judged, outcome.study
    answers = _judged(judged) if judged else tested
    return Content(
        origin=_origin(manifest, place, engine, len(dataset.problems_of(Severity.ERROR))),
        tested=tested,
        judged=answers,
        top_k=top_k(tested),
        log_loss=_log_loss(manifest.metrics[engine]),
        mistakes=mistakes(tested, list(outcome.scores[engine]), manifest.labels),
        suspects=tuple(Suspect(s.example.path, s.example.label, s.suggested, s.confidence) for s in study.suspects),
        suspects_file=suspects_file,
        duplicates=_duplicates(outcome),
        curve=_curve(study.curve),
        unfamiliar=_unfamiliar(manifest, answers.distances),
        calibration=calibration(answers),
        thresholds=_thresholds(manifest, judged),
        seconds=outcome.seconds,
        command=place.command,
        root=dataset.root,
    )


def _tested(outcome: Outcome, engine: str) -> Answers:
    examples, labels = list(outcome.scores[engine]), outcome.manifest.labels
    return Answers(
        np.stack([outcome.scores[engine][example] for example in examples]),
        np.array([labels.index(example.label) for example in examples]),
        outcome.trained.distances(outcome.dataset, examples),
        "kept for testing",
    )


def _judged(found: Judged) -> Answers:
    return Answers(found.scores, found.classes, found.distances, "each named by a head that had not seen it")


def _origin(
    manifest: Manifest, place: Place, engine: str, set_aside: int, images: Mapping[str, int] | None = None
) -> Origin:
    files = manifest.files
    whole = sum(entry.size for path, entry in files.items() if path != COMPILED_MODEL)
    sizes = {"litert": files[COMPILED_MODEL].size} if COMPILED_MODEL in files else {}
    return Origin(
        name=manifest.name,
        version=place.version,
        store=place.store,
        created=manifest.created,
        labels=manifest.labels,
        engine=engine,
        images=manifest.training.get("images", {}) if images is None else images,
        images_by_label=manifest.training.get("images_by_label", {}),
        set_aside=set_aside,
        training=manifest.training,
        backbone=manifest.backbone,
        parity=manifest.parity,
        libraries=manifest.libraries,
        git_commit=manifest.git_commit,
        sizes=sizes | {"tensorflow": whole},
    )


def top_k(answers: Answers) -> dict[int, Rate]:
    """How often the true label is among the first 2, of ten labels or more among the first 5."""
    labels = answers.scores.shape[1]
    k = 5 if labels >= 10 else 2
    best = np.argsort(-answers.scores, axis=1, kind="stable")[:, :k]  # (N, k)
    return {k: Rate(int((best == answers.classes[:, np.newaxis]).any(axis=1).sum()), len(best))} if labels > k else {}


def mistakes(answers: Answers, examples: Sequence[Example], labels: tuple[str, ...]) -> tuple[Mistake, ...]:
    wrong = np.flatnonzero(answers.named != answers.classes)
    order = wrong[np.argsort(-answers.scores[wrong].max(axis=1), kind="stable")]
    return tuple(
        Mistake(
            examples[i].path,
            labels[answers.classes[i]],
            labels[answers.named[i]],
            float(answers.scores[i].max()),
            float(answers.scores[i, answers.classes[i]]),
        )
        for i in order
    )


def _log_loss(found: Mapping[str, Any]) -> Estimate:
    low, high = found.get("log_loss_interval") or (None, None)
    return Estimate(found["log_loss"], low, high)


def _duplicates(outcome: Outcome) -> tuple[tuple[Copy, ...], ...]:
    tested = set(outcome.split.test)
    groups = outcome.found.groups.near_duplicates
    return tuple(tuple(Copy(one.path, one.label, one in tested) for one in group) for group in groups)


def _curve(found: LearningCurve | None) -> Curve | None:
    if found is None or len(found.points) < 2:
        return None
    forecast = found.forecast and (found.forecast.size, found.forecast.accuracy)
    return Curve(found.points, forecast)


def _unfamiliar(
    manifest: Manifest, known: NDArray[np.float32] | None, others: NDArray[np.float32] | None = None, about: str = ""
) -> Unfamiliar | None:
    thresholds = manifest.thresholds
    if known is None or thresholds is None or thresholds.distance is None:
        return None
    return Unfamiliar(thresholds.distance, thresholds.false_alarms, known, others, about)


def _thresholds(manifest: Manifest, judged: Judged | None) -> Thresholds | None:
    """The model's own, and what others would be by the same rule, where the images that they were set by are at hand."""
    own = manifest.thresholds
    if own is None:
        return None
    wishes = sorted({*WISHES, own.precision}) if judged else []
    choices = {wish: find_thresholds(judged, wish).labels for wish in wishes} if judged else {}
    return Thresholds(own.precision, own.labels, own.distance, choices)
