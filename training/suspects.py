"""Labels that are probably wrong: where heads that had not seen the image hardly believe the label it carries.

Twice: images whose label is believed least are left out of the second fit, since wrong labels also spoil the heads that
judge the others. That fit is on the square roots of the features, in which wrong labels stand out better (docs/decisions.md).
Nothing is deleted or changed here; a person decides (training/corrections.py).
"""

import csv
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.dataset import Example
from training.folds import Folded, Judged, cross_fit
from training.sources.listing import shown

LEFT_OUT = 0.06  # share of the images, of the second fit: a little more than the errors that are usual
LEAST = 0.06  # confidence in its own label; what has less is listed. 5 % random flips: precision 0.81, recall 0.80
COLUMNS = ("picture", "image", "label", "suggested", "confidence", "decision")  # of suspects.csv


@dataclass(frozen=True)
class Suspect:
    """An image whose label a person should look at."""

    example: Example
    suggested: str  # the label that scored best
    confidence: float  # of the label it carries, 0–1


def find_suspects(
    folded: Folded, judged: Judged, labels: Sequence[str], decided: Collection[str] = ()
) -> tuple[Suspect, ...]:
    """The images to look at, the least believed first. `decided` are pictures that a person has judged already."""
    roots = replace(folded, labelled=replace(folded.labelled, features=_roots(folded.labelled.features)))
    scores = cross_fit(roots, judged.c, _believed(folded, judged))[folded.judged]
    confidence = scores[np.arange(len(scores)), judged.classes]  # (N,)
    return tuple(
        Suspect(judged.examples[i], labels[scores[i].argmax()], float(confidence[i]))
        for i in np.argsort(confidence, kind="stable")
        if confidence[i] < LEAST and judged.examples[i].pixels not in decided
    )


def _roots(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square roots (N, D), with their signs: means of activations have long tails, which decide too much of a linear head."""
    roots: NDArray[np.float32] = np.sign(features) * np.sqrt(np.abs(features))
    return roots


def _believed(folded: Folded, judged: Judged) -> NDArray[np.bool_]:
    """All images (N,) but those whose label is believed least; of no class more than a quarter, nor its last in a fold.

    A class whose other folds were left out whole would be taught to no head of the fold that is judged.
    """
    rows = np.flatnonzero(folded.judged)
    confidence = judged.scores[np.arange(len(rows)), judged.classes]
    left = np.bincount(folded.labelled.classes) // 4  # (K,): how many may go
    there = Counter(zip(judged.folds.tolist(), judged.classes.tolist(), strict=True))  # images of a fold and class
    believed = np.ones(len(folded.folds), bool)
    for i in np.argsort(confidence, kind="stable")[: int(LEFT_OUT * len(rows))]:
        fold, label = int(judged.folds[i]), int(judged.classes[i])
        if left[label] and there[fold, label] > 1:
            left[label] -= 1
            there[fold, label] -= 1
            believed[rows[i]] = False
    return believed


def write_suspects(path: Path, suspects: Sequence[Suspect], root: Path) -> None:
    """Write a table for a person to fill in: the last column is theirs."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for suspect in suspects:
            example = suspect.example
            where = shown(root, example.path)
            writer.writerow([example.pixels, where, example.label, suspect.suggested, f"{suspect.confidence:.4f}", ""])
