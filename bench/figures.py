"""Figures out of measurements: medians with their spread, and intervals for differences. It measures nothing."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

Z = 1.959964  # of a 95 % interval


def spread(values: Sequence[float]) -> dict[str, float]:
    """Several measurements of one thing."""
    return {"median": median(values), "low": min(values), "high": max(values), "n": len(values)}


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """What a user waits: half, 19 of 20 and 99 of 100 answers come sooner."""
    p50, p95, p99 = np.percentile(values, (50, 95, 99)).tolist()
    return {"p50": p50, "p95": p95, "p99": p99, "n": len(values)}


def of_proportions(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> dict[str, float]:
    """How much more often ours (N,) is right than theirs (N,), on the same images, with the 95 % interval.

    It is Bonett and Price's (2012), which holds where hardly any image tells the two apart.
    """
    n, only_ours, only_theirs = len(ours), int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    first, second = (only_ours + 1) / (n + 2), (only_theirs + 1) / (n + 2)
    half = Z * math.sqrt((first + second - (first - second) ** 2) / (n + 2))
    mean = (only_ours - only_theirs) / n
    return {"mean": mean, "low": first - second - half, "high": first - second + half, "n": n}


def interleaved(rounds: int, actions: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Do each action in turn, `rounds` times: what slows the machine for a while slows them all."""
    results: dict[str, list[T]] = {name: [] for name in actions}
    for number in range(rounds):
        names = list(actions) if number % 2 == 0 else list(actions)[::-1]
        for name in names:
            results[name].append(actions[name]())
    return results
