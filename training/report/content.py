"""What a report shows, as plain values: no file is read here, and nothing is drawn.

What is None or empty was not measured, or is not known of an old model; the page leaves its place out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.decision import Decision, Thresholds
from training.evaluation import f1_of, interval


@dataclass(frozen=True)
class Rate:
    """A share of n things, with its 95 % interval (Wilson's)."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else 0.0

    @cached_property
    def interval(self) -> tuple[float, float]:
        low, high = interval(self.hits, self.n) if self.n else (0.0, 1.0)
        return low, high


@dataclass(frozen=True)
class Estimate:
    """Any other figure, with its 95 % interval where there is one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False)
class Trial:
    """Images that were scored by a head which had not seen them."""

    scores: NDArray[np.float32]  # (N, K)
    classes: NDArray[np.int64]  # (N,) what they are
    distances: NDArray[np.float32] | None  # (N,)
    about: str  # which images these are: "test images"

    @cached_property
    def named(self) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self.scores.argmax(axis=1)  # (N,)
        return found

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (K, K) by [what it is, what it was named]."""
        counts = np.zeros((self.scores.shape[1],) * 2, np.int64)
        np.add.at(counts, (self.classes, self.named), 1)
        return counts

    @property
    def accuracy(self) -> Rate:
        return Rate(int((self.named == self.classes).sum()), len(self.classes))


@dataclass(frozen=True)
class LabelFigures:
    """How well one label is named."""

    label: str
    precision: Rate  # of the answers of this label
    recall: Rate  # of the images of this label

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN)."""
        return f1_of(self._either.value)

    @property
    def f1_interval(self) -> tuple[float, float]:
        """It follows from that of the share of right ones among all that are or were named so: F1 = 2j / (1 + j)."""
        low, high = self._either.interval
        return f1_of(low), f1_of(high)

    @property
    def _either(self) -> Rate:
        return Rate(self.recall.hits, self.precision.n + self.recall.n - self.recall.hits)


@dataclass(frozen=True)
class Confusion:
    """Two labels that are taken for one another."""

    label: str
    named: str
    count: int  # images of `label` that were named `named`
    back: int  # images of `named` that were named `label`
    images: int  # of both labels together

    @property
    def share(self) -> float:
        return (self.count + self.back) / self.images


@dataclass(frozen=True, eq=False)
class Mistake:
    """An image that was named wrongly, and where that came from."""

    path: Path
    label: str
    named: str
    score: float  # of what it was named
    label_score: float  # of what it is
    decision: Decision | None = None  # what the model says of it; None: it has no thresholds
    evidence: NDArray[np.float32] | None = (
        None  # (8, 8): what speaks for `named` (> 0), what for `label` (< 0), in logits
    )


@dataclass(frozen=True)
class Suspect:
    """An image whose label may be wrong."""

    path: Path
    label: str
    named: str
    confidence: float  # in its label, by a head that had not seen it


@dataclass(frozen=True)
class Copy:
    """One of several pictures that are nearly the same."""

    path: Path
    label: str
    tested: bool = False  # else it was learned from


@dataclass(frozen=True)
class Curve:
    """Accuracy by number of training images."""

    points: tuple[tuple[int, float], ...]
    forecast: tuple[int, float] | None  # at double the data
    tuned: bool = False  # the model's network was fine-tuned, which those of the curve were not


@dataclass(frozen=True, eq=False)
class Unfamiliar:
    """How far images lie from what was taught."""

    threshold: float
    false_alarms: float  # share of known images beyond it, as it was chosen
    known: NDArray[np.float32]  # (N,) distances of images that the fit had not seen
    others: NDArray[np.float32] | None = None  # (M,) of pictures that are none of the labels
    auroc: float | None = None  # of telling these from those
    others_about: str = ""  # which pictures these are


@dataclass(frozen=True)
class Bin:
    """Images whose first score lies in one range."""

    confidence: float  # mean score
    right: Rate


@dataclass(frozen=True)
class Calibration:
    bins: tuple[Bin, ...]
    error: float  # ECE, the mean gap
    floor: float  # ECE that a perfect model would show with as many images, in the mean
    most: float  # and in 95 of 100 cases at most


@dataclass(frozen=True)
class Origin:
    """Which model this is, and what it was made from."""

    name: str
    version: int
    store: str
    created: str
    labels: tuple[str, ...]  # in score order
    engine: str  # that serves by default, and that was measured
    images: Mapping[str, int]  # part → count
    images_by_label: Mapping[str, int]
    set_aside: int
    training: Mapping[str, Any]  # as in the manifest
    backbone: Mapping[str, Any]
    parity: Mapping[str, Any]
    libraries: Mapping[str, str]
    git_commit: str | None
    sizes: Mapping[str, int]  # engine → bytes that it needs


@dataclass(frozen=True, eq=False)
class Content:
    origin: Origin
    tested: Trial  # the images that the headline counts
    judged: Trial  # as many as there are: out-of-fold, else the same ones
    top_k: Mapping[int, Rate]
    log_loss: Estimate | None
    mistakes: tuple[Mistake, ...]  # the surest first
    suspects: tuple[Suspect, ...]
    suspects_file: Path | None
    duplicates: tuple[tuple[Copy, ...], ...]  # groups
    curve: Curve | None
    unfamiliar: Unfamiliar | None
    calibration: Calibration | None
    thresholds: Thresholds | None  # the model's own
    choices: Mapping[float, tuple[float | None, ...]]  # what the labels' thresholds would be, by the precision wished
    seconds: Mapping[str, float]
    command: str  # that repeats the run
    root: Path  # of the images: what is shown of a path begins after it
    layout: str  # how their labels were understood
    caution: str = ""  # what all of this depends on

    @property
    def labels(self) -> tuple[str, ...]:
        return self.origin.labels

    @cached_property
    def figures(self) -> tuple[LabelFigures, ...]:
        """Of each label that there are images of, the worst first."""
        counts = self.judged.confusion
        found = [
            LabelFigures(
                label, Rate(int(counts[i, i]), int(counts[:, i].sum())), Rate(int(counts[i, i]), int(counts[i].sum()))
            )
            for i, label in enumerate(self.labels)
            if counts[i].sum()
        ]
        return tuple(sorted(found, key=lambda figures: figures.f1))

    @cached_property
    def confusions(self) -> tuple[Confusion, ...]:
        """The pairs of labels that are taken for one another, the most frequent first; the more frequent way round."""
        counts, labels = self.judged.confusion, self.labels
        of = counts.sum(axis=1)
        found = [
            Confusion(labels[i], labels[j], int(counts[i, j]), int(counts[j, i]), int(of[i] + of[j]))
            for i, j in zip(*np.nonzero(counts), strict=True)
            if i != j and (counts[i, j], j) > (counts[j, i], i)
        ]
        return tuple(sorted(found, key=lambda pair: -(pair.count + pair.back)))
