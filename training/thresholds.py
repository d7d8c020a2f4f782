"""When may an answer be relied on? Thresholds from images that the head had not seen, never from those that it was fitted on.

A threshold that was set on fitted images lets through 8–14 % of false alarms where 5 % were meant (docs/decisions.md).
"""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from model.decision import Thresholds
from training.folds import Judged

PRECISION = 0.95  # of accepted answers, where nothing else is wished
FALSE_ALARMS = 0.05  # share of known images that are called unknown
Z = 1.2816  # standard deviations: one-sided 90 %. At 95 % a third more answers are turned away for one more point of precision


def find_thresholds(judged: Judged, precision: float) -> Thresholds:
    first = judged.scores.argmax(axis=1)  # (N,)
    labels = tuple(
        _least_score(judged.scores[first == label, label], judged.classes[first == label] == label, precision)
        for label in range(judged.scores.shape[1])
    )
    return Thresholds(precision, labels, _farthest(judged.distances), FALSE_ALARMS)


def _least_score(scores: NDArray[np.float32], right: NDArray[np.bool_], precision: float) -> float | None:
    """The least score (of N answers with this first label) from which on the lower bound of precision is what is wished."""
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], right[order]
    accepted = np.arange(1, len(scores) + 1)
    last_of_its_score = np.append(scores[1:] < scores[:-1], True)[: len(scores)]
    good = np.flatnonzero(last_of_its_score & (_lower_bound(right.cumsum(), accepted) >= precision))
    return float(scores[good[-1]]) if len(good) else None


def fewest_answers(precision: float) -> int:
    """How many answers of a label, all of them right, it takes to show a precision."""
    return ceil(precision * Z**2 / (1 - precision))  # Wilson's bound of n of n is n / (n + Z²)


def _lower_bound(right: NDArray[np.int64], accepted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Wilson's, one-sided (Wilson, 1927), of many proportions at once."""
    share = right / accepted
    spread = Z * np.sqrt(share * (1 - share) / accepted + Z**2 / (4 * accepted**2))
    bound: NDArray[np.float64] = (share + Z**2 / (2 * accepted) - spread) / (1 + Z**2 / accepted)
    return bound


def _farthest(distances: NDArray[np.float32]) -> float | None:
    """The distance that a further known image exceeds with a probability of FALSE_ALARMS at most (conformal prediction: Vovk, 2005)."""
    rank = ceil((1 - FALSE_ALARMS) * (len(distances) + 1))
    return float(np.sort(distances)[rank - 1]) if rank <= len(distances) else None
