"""Out-of-fold scores: what is said of each image by a head that was fitted on others. One computation that much is read from.

Training and validation images are dealt into five folds; for each, a head is fitted on the other four. The regularisation is
the one with the least out-of-fold log-loss; thresholds, suspect labels and the learning curve come from the same scores, so
none of them is judged on what was learned by heart. Nothing is random, and test images are not here.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.dataset import Example
from training.evaluation import log_losses
from training.familiarity import distances, fit_familiarity
from training.head import (
    LabelledFeatures,
    class_weights,
    make_solver,
    one_blas_thread,
    scale_of,
    standardise,
)
from training.run import Run

FOLDS = 5
ALWAYS = -1  # in a fold's place: every head is fitted on the image, since its class has no other group to learn from
FEW = 50  # images; by fewer, C and thresholds would be chosen by chance
C_GRID = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # scikit-learn's C, the inverse of the L2 penalty
DEFAULT_C = 0.01  # where the search begins; with too few images, where it ends


@dataclass(frozen=True, eq=False)
class Judged:
    """Images, each with what a head says of it that had not seen it."""

    examples: tuple[Example, ...]
    classes: NDArray[np.int64]  # (N,), indices into the labels
    scores: NDArray[np.float32]  # (N, K)
    distances: NDArray[np.float32]  # (N,), from what the head's own images span
    folds: NDArray[np.int64]  # (N,), 0 … FOLDS - 1
    c: float  # scikit-learn's C of these heads


@dataclass(frozen=True, eq=False)
class Folded:
    """Images with their features, dealt into folds."""

    examples: tuple[Example, ...]
    labelled: LabelledFeatures
    folds: NDArray[np.int64]  # (N,); ALWAYS or 0 … FOLDS - 1
    max_steps: int  # of the head's solver
    run: Run

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Which images (N,) are in a fold, so that a head can judge them."""
        return np.not_equal(self.folds, ALWAYS)

    @cached_property
    def standardised(self) -> NDArray[np.float32]:
        """Features (N, min(N, D)) of mean 0 and deviation 1; no label is looked at, so the folds share them.

        Of fewer images than features, the coordinates within the span of the images: the L2 penalty does not see a rotation, so
        heads score the same, and 1,268 columns are 40 % less work than 2,048.
        """
        from scipy.linalg import qr

        scaled = standardise(self.labelled.features, *scale_of(self.labelled.features))
        if scaled.shape[0] >= scaled.shape[1]:
            return scaled
        with one_blas_thread():
            (upper,) = qr(scaled.T, mode="r", overwrite_a=True)  # scaled.T = Q @ upper, so upper.T = scaled @ Q
        return np.ascontiguousarray(upper[: len(scaled)].T)

    def enough(self) -> bool:
        """Say whether there are enough images, of at least half the classes, to choose anything by."""
        classes = self.labelled.classes
        return bool(self.judged.sum() >= FEW and 2 * len(np.unique(classes[self.judged])) >= len(np.unique(classes)))


def deal(examples: Sequence[Example], groups: Mapping[str, str]) -> NDArray[np.int64]:
    """Folds (N,) of the examples: each label spread evenly, groups whole. `groups` is that of training/groups.py.

    Largest groups first, then by digest, each goes where its commonest label has the fewest images so far.
    """
    members: dict[str, list[int]] = {}
    for i, example in enumerate(examples):
        members.setdefault(groups.get(example.pixels, example.pixels), []).append(i)
    labels = {label: i for i, label in enumerate(sorted({example.label for example in examples}))}
    classes = np.array([labels[example.label] for example in examples])
    dealt = np.zeros((FOLDS, len(labels)), int)  # images a fold and label
    folds = np.empty(len(examples), np.int64)
    for rows in sorted(members.values(), key=lambda rows: (-len(rows), _place(examples[rows[0]], groups))):
        counts = np.bincount(classes[rows], minlength=len(labels))  # (K,)
        fold = np.lexsort((dealt.sum(axis=1), dealt[:, counts.argmax()]))[0]
        dealt[fold] += counts
        folds[rows] = fold
    alone = dealt.max(axis=0) == dealt.sum(axis=0)  # (K,): labels that would be in no other fold to learn from
    return np.where(alone[classes], ALWAYS, folds)


def _place(example: Example, groups: Mapping[str, str]) -> str:
    """Hashed once more, as for the split: among training images the digests' own order is not free of it."""
    return sha256(f"fold {groups.get(example.pixels, example.pixels)}".encode()).hexdigest()


def judge(folded: Folded) -> Judged | None:
    """Score every image out of its fold, at the C that makes log-loss least; None where there are too few images.

    From DEFAULT_C the search goes one step of the grid at a time, each head starting at its last solution, as long as the loss falls.
    """
    if not folded.enough():
        return None
    solvers = [make_solver(DEFAULT_C, folded.max_steps) for _ in range(FOLDS)]
    everything = np.ones(len(folded.folds), bool)

    def attempt(place: int) -> tuple[float, int, NDArray[np.float32]]:
        scores = cross_fit(folded, C_GRID[place], everything, solvers)
        return balanced_log_loss(scores[folded.judged], folded.labelled.classes[folded.judged]), place, scores

    start = C_GRID.index(DEFAULT_C)
    best = attempt(start)
    for step in (1, -1):
        while 0 <= best[1] + step < len(C_GRID) and (found := attempt(best[1] + step))[0] < best[0]:
            best = found
        if best[1] != start:
            break
    rows = np.flatnonzero(folded.judged)
    return Judged(
        tuple(folded.examples[row] for row in rows),
        folded.labelled.classes[rows],
        best[2][rows],
        _distances(folded)[rows],
        folded.folds[rows],
        C_GRID[best[1]],
    )


def cross_fit(
    folded: Folded, c: float, learned: NDArray[np.bool_], solvers: Sequence[Any] | None = None
) -> NDArray[np.float32]:
    """Scores (N, K) of each image by the head of its fold, fitted on the other folds' images among `learned` (N,).

    A row that no head judges stays 0. Every class must be learned in every fold.
    """
    solvers = solvers or [make_solver(c, folded.max_steps) for _ in range(FOLDS)]
    classes = folded.labelled.classes
    features = folded.standardised
    scores = np.zeros((len(classes), len(np.unique(classes))), np.float32)

    def fit(fold: int) -> None:
        inside = folded.folds == fold
        if inside.any():
            rows = learned & ~inside
            solver = solvers[fold].set_params(C=c)
            solver.fit(features[rows], classes[rows])
            scores[inside] = solver.predict_proba(features[inside])

    _each_fold(fit, folded.run)
    return scores


def _distances(folded: Folded) -> NDArray[np.float32]:
    """How far (N,) each image is from what the other folds span."""
    found = np.zeros(len(folded.folds), np.float32)
    features = folded.labelled.features

    def measure(fold: int) -> None:
        inside = folded.folds == fold
        if inside.any():
            found[inside] = distances(features[inside], fit_familiarity(features[~inside]))

    _each_fold(measure, folded.run)
    return found


def _each_fold(work: Any, run: Run) -> None:
    """Folds side by side, a core each: a single fit gains nothing from a second core."""
    with one_blas_thread(), ThreadPoolExecutor(run.workers) as pool:
        list(pool.map(work, range(FOLDS)))


def balanced_log_loss(scores: NDArray[np.float32], classes: NDArray[np.int64]) -> float:
    """Mean log-loss, each class weighing the same: scores (N, K) of classes (N,)."""
    weights = class_weights(classes, scores.shape[1])[classes]
    return float(np.average(log_losses(scores, classes), weights=weights))
