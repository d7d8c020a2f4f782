"""Features → a trained model: the head, what it spans, and when its answers may be relied on; fine-tuned where that is better.

Everything that is chosen here is chosen by images that the judging head had not seen: out of fold (training/folds.py), or,
of a fine-tuned network, which saw all others, by the validation images. Test images are not looked at.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.decision import Thresholds
from training.dataset import Dataset, Example
from training.familiarity import Familiarity, distances, fit_familiarity
from training.features import Extractor
from training.finetune import FineTuning, Tuned, fine_tune
from training.folds import DEFAULT_C, FEW, Folded, Judged, balanced_log_loss, deal, judge
from training.head import Head, LabelledFeatures, fit, one_blas_thread
from training.learning_curve import LearningCurve, learning_curve
from training.proof import scores_of
from training.run import Run
from training.savedmodel import save_features, weights_digest
from training.split import Split
from training.suspects import Suspect, find_suspects
from training.thresholds import find_thresholds


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is to be learned, and how."""

    dataset: Dataset
    parts: Split
    groups: Mapping[str, str]  # of training/groups.py
    decided: Collection[str]  # pictures whose label a person has judged
    features_of: Callable[[Extractor], NDArray[np.float32]]  # (N, D), in the order of the data set's examples
    max_steps: int  # of the head's solver
    precision: float  # of accepted answers that is wished for
    run: Run

    @property
    def known(self) -> tuple[Example, ...]:
        """Training and validation images, in the order of the data set."""
        tested = set(self.parts.test)
        return tuple(example for example in self.dataset.examples if example not in tested)

    def labelled(self, examples: Sequence[Example], features: NDArray[np.float32]) -> LabelledFeatures:
        """Some of the examples, of all examples' features (N, D)."""
        row = {example.digest: i for i, example in enumerate(self.dataset.examples)}
        number = {label: i for i, label in enumerate(self.dataset.labels)}
        rows = [row[example.digest] for example in examples]
        return LabelledFeatures(features[rows], np.array([number[example.label] for example in examples], np.int64))


@dataclass(frozen=True, eq=False)
class Study:
    """What out-of-fold scores tell of the images; nothing where there are too few."""

    judged: Judged | None = None
    suspects: tuple[Suspect, ...] = ()
    curve: LearningCurve | None = None

    @property
    def c(self) -> float:
        return self.judged.c if self.judged else DEFAULT_C


@dataclass(frozen=True, eq=False)
class TrainedModel:
    extractor: Extractor  # of the backbone that the head was fitted on
    features: NDArray[np.float32]  # (N, D) of that backbone, in the order of the data set's examples
    head: Head
    familiarity: Familiarity
    judged: Judged | None  # images that this model had not seen; None where there are too few
    thresholds: Thresholds | None  # by these
    fine_tuning: dict[str, Any] | None  # how it went, where it was asked for

    @property
    def fine_tuned(self) -> bool:
        """Whether its network was fine-tuned, and kept."""
        return bool(self.fine_tuning and self.fine_tuning["kept"])

    def distances(self, dataset: Dataset, examples: Sequence[Example]) -> NDArray[np.float32]:
        """How far (N,) these images are from what was taught."""
        row = {example.digest: i for i, example in enumerate(dataset.examples)}
        return distances(self.features[[row[example.digest] for example in examples]], self.familiarity)


def study(lesson: Lesson, features: NDArray[np.float32]) -> Study:
    folds = deal(lesson.known, lesson.groups)
    folded = Folded(lesson.known, lesson.labelled(lesson.known, features), folds, lesson.max_steps, lesson.run)
    judged = judge(folded)
    if not judged:
        return Study()
    suspects = find_suspects(folded, judged, lesson.dataset.labels, lesson.decided)
    return Study(judged, suspects, learning_curve(folded, judged))


def learn(
    lesson: Lesson, found: Study, extractor: Extractor, features: NDArray[np.float32], how: FineTuning, folder: Path
) -> TrainedModel:
    """Fit the head to training and validation images and, where asked, fine-tune; `folder` keeps the network if that is better."""
    labels = lesson.dataset.labels
    history = None
    if how.steps:
        start = fit(lesson.labelled(lesson.parts.train, features), labels, found.c, lesson.max_steps)
        tuned = fine_tune(extractor.backbone, start, lesson.parts, how, lesson.run)
        losses = _validation_losses(lesson, found, start, tuned, features)
        history = {**asdict(how), "validation_log_loss": losses, "kept": losses[1] < losses[0]}
        if history["kept"]:
            return _tuned_model(lesson, tuned, _saved(tuned.network, extractor, folder), history)
    known = lesson.labelled(lesson.known, features)
    head, familiarity = fit(known, labels, found.c, lesson.max_steps), _familiarity(known)
    thresholds = find_thresholds(found.judged, lesson.precision) if found.judged else None
    return TrainedModel(extractor, features, head, familiarity, found.judged, thresholds, history)


def _familiarity(labelled: LabelledFeatures) -> Familiarity:
    with one_blas_thread():
        return fit_familiarity(labelled.features)


def _validation_losses(
    lesson: Lesson, found: Study, start: Head, tuned: Tuned, features: NDArray[np.float32]
) -> list[float]:
    """Log-loss on the validation images of the head that would ship otherwise, out of fold, and of the tuned network.

    Where folds judged none of them, the head fitted on the training images stands for the one that would ship.
    """
    validation = lesson.labelled(lesson.parts.validation, features)
    plain = dict(zip(lesson.parts.validation, scores_of(validation.features, start), strict=True))
    if found.judged:
        judged = dict(zip(found.judged.examples, found.judged.scores, strict=True))
        plain = {example: judged[example] for example in lesson.parts.validation if example in judged} or plain
    rows = [i for i, example in enumerate(lesson.parts.validation) if example in plain]
    classes = validation.classes[rows]
    return [
        balanced_log_loss(np.stack(list(plain.values())), classes),
        balanced_log_loss(tuned.scores[rows], classes),
    ]


def _tuned_model(lesson: Lesson, tuned: Tuned, extractor: Extractor, history: dict[str, Any]) -> TrainedModel:
    """Its familiarity spans the training images alone, so that validation images can say what is far."""
    features = lesson.features_of(extractor)
    train, validation = (lesson.labelled(part, features) for part in (lesson.parts.train, lesson.parts.validation))
    familiarity = _familiarity(train)
    if len(validation.classes) < FEW:
        return TrainedModel(extractor, features, tuned.head, familiarity, None, None, history)
    judged = Judged(
        lesson.parts.validation,
        validation.classes,
        scores_of(validation.features, tuned.head),
        distances(validation.features, familiarity),
        np.zeros(len(validation.classes), np.int64),
        tuned.head.c,
    )
    thresholds = find_thresholds(judged, lesson.precision)
    return TrainedModel(extractor, features, tuned.head, familiarity, judged, thresholds, history)


def _saved(network: Any, extractor: Extractor, folder: Path) -> Extractor:
    """Save a fine-tuned network where an extractor of its own looks for it; its features are other features."""
    tuned = Extractor(replace(extractor.backbone, sha256=weights_digest(network)), folder)
    folder.mkdir()
    save_features(network, tuned.saved)
    return tuned
