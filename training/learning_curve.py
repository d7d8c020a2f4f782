"""What more images would bring: out-of-fold accuracy at halved sizes, and where a power law through the last of them leads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.folds import FOLDS, Folded, Judged, cross_fit

HALVINGS = 4  # of all images
FEWEST_A_CLASS = 2 * FOLDS  # images, of the smallest size; on fewer, a fold may lack a class
LAST = 3  # sizes that the law goes through; smaller ones follow another course
ERROR_OF_FORECAST = 0.011  # RMS, of accuracy at double the data, as measured on flower photos (docs/decisions.md)
Z = 1.96  # standard deviations: 95 %


@dataclass(frozen=True)
class Forecast:
    size: int  # images to learn from
    accuracy: float
    interval: tuple[float, float]  # 95 %: of the accuracy that was measured, and of what such forecasts were off


@dataclass(frozen=True)
class LearningCurve:
    """Out-of-fold accuracy by how many images each head learned from, ascending."""

    points: tuple[tuple[int, float], ...]
    n: int  # images that every accuracy was measured on
    forecast: Forecast | None  # at double the data; None where the sizes are too few, or show no gain


def learning_curve(folded: Folded, judged: Judged) -> LearningCurve:
    """Measure halved sizes; the images of a size are those of the next larger one, one in two of each class and fold."""
    rank = _rank(folded)  # (N,)
    points = [(_learned(folded, np.ones(len(rank), bool)), _accuracy(judged.scores, judged))]
    for halving in range(1, HALVINGS + 1):
        chosen = rank % 2**halving == 0
        if np.bincount(folded.labelled.classes[chosen]).min() < FEWEST_A_CLASS:
            break
        scores = cross_fit(folded, judged.c, chosen)[folded.judged]
        points.append((_learned(folded, chosen), _accuracy(scores, judged)))
    points.reverse()
    return LearningCurve(tuple(points), len(judged.classes), _forecast(points, len(judged.classes)))


def _rank(folded: Folded) -> NDArray[np.int64]:
    """Number (N,) the images of each class and fold; their order is that of digests, so every other one is a random half."""
    seen: dict[tuple[int, int], int] = {}
    rank = np.empty(len(folded.folds), np.int64)
    for i, place in enumerate(zip(folded.folds.tolist(), folded.labelled.classes.tolist(), strict=True)):
        rank[i] = seen[place] = seen.get(place, -1) + 1
    return rank


def _learned(folded: Folded, chosen: NDArray[np.bool_]) -> int:
    """How many of the chosen images a head learns from, in the mean over folds."""
    return round(float(np.mean([(chosen & (folded.folds != fold)).sum() for fold in range(FOLDS)])))


def _accuracy(scores: NDArray[np.float32], judged: Judged) -> float:
    return float((scores.argmax(axis=1) == judged.classes).mean())


def _forecast(points: list[tuple[int, float]], n: int) -> Forecast | None:
    """Extend error = a · size^−b, a straight line of logarithms, by one doubling."""
    if len(points) < LAST:
        return None
    sizes, accuracies = np.array(points[-LAST:]).T
    if accuracies.max() >= 1:
        return None
    slope, offset = np.polyfit(np.log(sizes), np.log(1 - accuracies), 1)
    if slope >= 0:
        return None
    size = 2 * points[-1][0]
    accuracy = 1 - float(np.exp(offset + slope * np.log(size)))
    off = Z * float(np.hypot(ERROR_OF_FORECAST, np.sqrt(accuracy * (1 - accuracy) / n)))
    return Forecast(size, accuracy, (max(accuracy - off, 0.0), min(accuracy + off, 1.0)))
