"""The head: a regularised softmax on the bottlenecks, by scikit-learn's standard solver.

Each class weighs the same, however many images it has. How strongly it is regularised is chosen by training/folds.py. Nothing
is random.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """Features with what they are."""

    features: NDArray[np.float32]  # (N, D)
    classes: NDArray[np.int64]  # (N,), indices into the labels


@dataclass(frozen=True, eq=False)
class Head:
    """scores = softmax(features @ weights + bias)."""

    weights: NDArray[np.float32]  # (D, K)
    bias: NDArray[np.float32]  # (K,)
    labels: tuple[str, ...]  # in score order
    c: float  # scikit-learn's C, as chosen


def fit(labelled: LabelledFeatures, labels: tuple[str, ...], c: float, max_steps: int) -> Head:
    """Learn the head at one C; `max_steps` bounds the solver's iterations. Every label must be there."""
    mean, deviation = scale_of(labelled.features)
    solver = make_solver(c, max_steps)
    with one_blas_thread():
        solver.fit(standardise(labelled.features, mean, deviation), labelled.classes)
    weights, bias = solver.coef_.T, solver.intercept_  # (D, K), (K,)
    if weights.shape[1] == 1:  # two classes: scikit-learn gives the second one's logit alone
        weights, bias = np.hstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    weights = weights / deviation[:, np.newaxis]  # standardising folds into the head: the graph needs no layer for it
    return Head(weights.astype(np.float32), (bias - mean @ weights).astype(np.float32), labels, c)


def scale_of(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation (D,) of each feature; 1 where it never varies."""
    deviation = features.std(axis=0)
    return features.mean(axis=0), np.where(deviation > 0, deviation, 1).astype(np.float32)


def standardise(
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


def make_solver(c: float, max_steps: int) -> Any:
    """A scikit-learn classifier that, fitted again, starts at its last solution."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=c, class_weight="balanced", max_iter=max_steps, warm_start=True)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to one thread a call, and the solver from remarking what was asked for: few steps, or few images a class.

    The head's products have no more columns than there are classes: too little work to share, and on a busy machine threads
    that wait for one another took 12 times the processor time. Both settings are the process's: not to be entered by two threads.
    """
    import scipy.linalg  # noqa: F401 - brings a BLAS of its own, which the limit reaches only when it is there
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes")  # two images a class are said to be few by us
        yield
