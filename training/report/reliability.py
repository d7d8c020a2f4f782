"""Is a score of 80 % right 8 times in 10? Answers → a reliability diagram, with what chance alone would make of it."""

import numpy as np
from numpy.typing import NDArray

from training.report.content import Answers, Bin, Calibration, Rate

BINS = 15  # of equal width, as in Guo et al., "On Calibration of Modern Neural Networks", 2017
DRAWS = 200  # of a perfect model; their mean is good to a hundredth of itself
SEED = 0


def calibration(answers: Answers) -> Calibration:
    scores = answers.scores.max(axis=1)  # (N,)
    right = answers.named == answers.classes  # (N,)
    places = np.minimum((scores * BINS).astype(int), BINS - 1)  # (N,)
    bins = tuple(
        Bin(float(scores[there].mean()), Rate(int(right[there].sum()), int(there.sum())))
        for there in (places == place for place in range(BINS))
        if there.any()
    )
    draws = np.random.default_rng(SEED).random((DRAWS, len(scores))) < scores
    floor = float(np.mean([_error(scores, draw, places) for draw in draws]))
    return Calibration(bins, _error(scores, right, places), floor, answers.about)


def _error(scores: NDArray[np.float32], right: NDArray[np.bool_], places: NDArray[np.int64]) -> float:
    """Expected calibration error: the gap between mean score and share of right answers, over bins by their images."""
    gaps = np.bincount(places, weights=scores - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(scores))
