"""The head: a regularised softmax on the bottlenecks, by scikit-learn's standard solver.

Each class weighs the same, however many images it has. The regularisation is the one with the least log-loss on the
validation split; the head is then fitted once more on training and validation images together. Nothing is random.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEFAULT_C = 0.01  # what validation chooses on the flower photos of README
FEW = 20  # validation images; by fewer, C would be chosen by chance
C_GRID = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # scikit-learn's C, the inverse of the L2 penalty


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """Features with what they are."""

    features: NDArray[np.float32]  # (N, D)
    classes: NDArray[np.int64]  # (N,), indices into the labels

    def __add__(self, other: "LabelledFeatures") -> "LabelledFeatures":
        features = np.concatenate([self.features, other.features])
        return LabelledFeatures(features, np.concatenate([self.classes, other.classes]))


@dataclass(frozen=True, eq=False)
class Head:
    """scores = softmax(features @ weights + bias)."""

    weights: NDArray[np.float32]  # (D, K)
    bias: NDArray[np.float32]  # (K,)
    labels: tuple[str, ...]  # in score order
    c: float  # scikit-learn's C, as chosen


def fit(labelled: LabelledFeatures, labels: tuple[str, ...], c: float, max_steps: int) -> Head:
    """Learn the head at one C; `max_steps` bounds the solver's iterations. Every label must be there."""
    mean, deviation = _scale(labelled.features)
    solver = _solver(c, max_steps)
    _fit(solver, _standardise(labelled.features, mean, deviation), labelled.classes)
    weights, bias = solver.coef_.T, solver.intercept_  # (D, K), (K,)
    if weights.shape[1] == 1:  # two classes: scikit-learn gives the second one's logit alone
        weights, bias = np.hstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    weights = weights / deviation[:, np.newaxis]  # standardising folds into the head: the graph needs no layer for it
    return Head(weights.astype(np.float32), (bias - mean @ weights).astype(np.float32), labels, c)


def choose_c(train: LabelledFeatures, validation: LabelledFeatures, max_steps: int) -> float:
    """Weaken the regularisation step by step, each fit starting at the last solution, until validation log-loss rises.

    Where validation cannot tell (see can_choose), it is DEFAULT_C. Every label must be in the training part.
    """
    from sklearn.metrics import log_loss

    if not can_choose(train, validation):
        return DEFAULT_C
    mean, deviation = _scale(train.features)
    features, held_out = (_standardise(part.features, mean, deviation) for part in (train, validation))
    solver = _solver(C_GRID[0], max_steps)
    best, least = C_GRID[0], np.inf
    for c in C_GRID:
        solver.set_params(C=c)
        _fit(solver, features, train.classes)
        weights = class_weights(validation.classes, len(solver.classes_))[validation.classes]
        loss = log_loss(
            validation.classes, solver.predict_proba(held_out), sample_weight=weights, labels=solver.classes_
        )
        if loss >= least:
            break
        best, least = c, loss
    return best


def can_choose(train: LabelledFeatures, validation: LabelledFeatures) -> bool:
    """Say whether validation has enough images, of at least half the classes, to choose by."""
    classes = len(np.unique(validation.classes))
    return len(validation.classes) >= FEW and 2 * classes >= len(np.unique(train.classes))


def _scale(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    deviation = features.std(axis=0)
    return features.mean(axis=0), np.where(deviation > 0, deviation, 1).astype(np.float32)


def _standardise(
    features: NDArray[np.float32], mean: NDArray[np.float32], deviation: NDArray[np.float32]
) -> NDArray[np.float32]:
    scaled = features - mean
    scaled /= deviation  # in place: for 15,000 images each copy is 120 MB
    return scaled


def class_weights(classes: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Weights (K,) of `count` classes, by which each that is there counts the same in all."""
    from sklearn.utils.class_weight import compute_class_weight

    there = np.unique(classes)
    weights = np.zeros(count)
    weights[there] = compute_class_weight("balanced", classes=there, y=classes)
    return weights


def _solver(c: float, max_steps: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=c, class_weight="balanced", max_iter=max_steps, warm_start=True)


def _fit(solver: Any, features: NDArray[np.float32], classes: NDArray[np.int64]) -> None:
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    # on one thread: the products have no more columns than there are classes, which is too little work to share among BLAS's threads
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore", ConvergenceWarning)  # --how_many_training_steps is the user's bound
        solver.fit(features, classes)
