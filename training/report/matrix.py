"""Counts → a confusion matrix that a person can read: labels with names, and no more of them than fit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST = 12  # labels; more columns fit no screen
SHADES = 6
OTHERS = "all others"


@dataclass(frozen=True)
class Cell:
    count: int
    shade: int  # 0 to SHADES - 1, by its share of the row
    kind: str  # right | wrong | others: both, where several labels stand in one row


@dataclass(frozen=True)
class Row:
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    labels: tuple[str, ...]
    rows: tuple[Row, ...]
    rest: bool  # the last label stands for all others


def readable(counts: NDArray[np.int64], labels: tuple[str, ...]) -> Matrix:
    """Show counts (K, K); of many labels those that are confused most, pairs side by side, and the others as one."""
    if len(labels) <= MOST:
        return _matrix(counts, labels, rest=False)
    shown = _most_confused(counts)
    group = np.full(len(labels), len(shown))
    group[shown] = np.arange(len(shown))
    folded = np.zeros((len(shown) + 1,) * 2, np.int64)
    np.add.at(folded, (group[:, np.newaxis], group[np.newaxis]), counts)
    return _matrix(folded, (*(labels[number] for number in shown), OTHERS), rest=True)


def _most_confused(counts: NDArray[np.int64]) -> list[int]:
    """MOST labels, or fewer where fewer are confused, with those next to each other that are taken for each other."""
    both = np.triu(counts + counts.T, k=1)
    pairs = np.argwhere(both)[np.argsort(-both[both > 0], kind="stable")]
    return list(dict.fromkeys(pairs.ravel().tolist()))[:MOST]


def _matrix(counts: NDArray[np.int64], labels: tuple[str, ...], *, rest: bool) -> Matrix:
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shades = (
        np.minimum(np.ceil(SHADES * np.sqrt(counts / totals)) - 1, SHADES - 1).clip(0).astype(int)
    )  # few is seen too
    last = len(labels) - 1 if rest else -1

    def cell(i: int, j: int) -> Cell:
        kind = "others" if i == j == last else "right" if i == j else "wrong"
        return Cell(int(counts[i, j]), int(shades[i, j]), kind)

    rows = tuple(Row(label, tuple(cell(i, j) for j in range(len(labels)))) for i, label in enumerate(labels))
    return Matrix(labels, rows, rest)
