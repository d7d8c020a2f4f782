"""Figures out of measurements: medians with their spread, and honest intervals for differences. It measures nothing."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class Spread:
    """Several measurements of one thing."""

    median: float
    low: float  # the least of them
    high: float
    n: int


def spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values), len(values))


@dataclass(frozen=True)
class Percentiles:
    """What a user waits: half, 19 of 20 and 99 of 100 answers come sooner."""

    p50: float
    p95: float
    p99: float
    n: int


def percentiles(values: Sequence[float]) -> Percentiles:
    p50, p95, p99 = np.percentile(values, (50, 95, 99)).tolist()
    return Percentiles(p50, p95, p99, len(values))


@dataclass(frozen=True)
class Difference:
    """One minus the other, on the same things, with its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int


def over_splits(differences: Sequence[float], test_share: float) -> Difference:
    """The mean of paired differences over repeated random splits, of which each tests `test_share` of the data.

    The splits overlap, so their spread alone would claim too much: the variance is corrected by the ratio of test to training
    data (Nadeau and Bengio, 2003, "Inference for the generalization error").
    """
    from scipy.stats import t

    n, mean = len(differences), fmean(differences)
    error = stdev(differences) * math.sqrt(1 / n + test_share / (1 - test_share))
    half = float(t.ppf(0.975, n - 1)) * error
    return Difference(mean, mean - half, mean + half, n)


def of_proportions(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> Difference:
    """How much more often ours (N,) is right than theirs (N,), on the same images.

    The interval is Bonett and Price's (2012), which holds where hardly any image tells the two apart.
    """
    n, only_ours, only_theirs = len(ours), int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    first, second = (only_ours + 1) / (n + 2), (only_theirs + 1) / (n + 2)
    half = Z * math.sqrt((first + second - (first - second) ** 2) / (n + 2))
    return Difference((only_ours - only_theirs) / n, first - second - half, first - second + half, n)


def interleaved(rounds: int, actions: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Do each action in turn, `rounds` times: what slows the machine for a while slows them all."""
    results: dict[str, list[T]] = {name: [] for name in actions}
    for number in range(rounds):
        names = list(actions) if number % 2 == 0 else list(actions)[::-1]
        for name in names:
            results[name].append(actions[name]())
    return results
