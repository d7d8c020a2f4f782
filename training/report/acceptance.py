"""What thresholds make of answers that were judged: how many are accepted, and how many of these are right. Counts only."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from model.decision import Thresholds
from training.report.content import Content, Rate, Trial

UNIT = 1_000_000  # scores are compared in millionths, here and in the page's script: both count the same


@dataclass(frozen=True)
class Accepted:
    """Of one label, or of all."""

    answered: Rate  # of its answers
    precision: Rate  # of its accepted answers
    recall: Rate  # of its images


def unlike(trial: Trial, thresholds: Thresholds) -> Rate:
    """How many images are answered as unknown: further from what was taught than the threshold."""
    beyond = 0
    if thresholds.distance is not None and trial.distances is not None:
        beyond = int((trial.distances > thresholds.distance).sum())
    return Rate(beyond, len(trial.classes))


def accepted(judged: Trial, thresholds: Thresholds) -> Accepted:
    """All labels together: `answered` and `recall` count all images, whatever they were named."""
    found = [
        accepted_of(label, least) for label, least in zip(ranked(judged, thresholds), thresholds.labels, strict=True)
    ]
    taken, right = sum(one.precision.n for one in found), sum(one.precision.hits for one in found)
    return Accepted(Rate(taken, len(judged.classes)), Rate(right, taken), Rate(right, len(judged.classes)))


def accepted_of(label: dict[str, Any], least: float | None) -> Accepted:
    """One label of `ranked`, by a threshold; None accepts nothing."""
    bar = None if least is None else int(least * UNIT)
    right, wrong = (0 if bar is None else sum(score >= bar for score in label[part]) for part in ("right", "wrong"))
    return Accepted(Rate(right + wrong, label["answers"]), Rate(right, right + wrong), Rate(right, label["images"]))


def ranked(judged: Trial, thresholds: Thresholds) -> list[dict[str, Any]]:
    """For each label its images, its answers, and the scores of the right and the wrong ones, descending, in UNIT.

    What is too far from all that was taught is never accepted: its answer is counted, and its score left out.
    """
    firsts = (judged.scores.max(axis=1).astype(float) * UNIT).astype(int)  # (N,)
    near = np.ones(len(firsts), bool)
    if thresholds.distance is not None and judged.distances is not None:
        near = judged.distances <= thresholds.distance
    found = []
    for number in range(judged.scores.shape[1]):
        named = judged.named == number
        right = judged.classes == number
        parts = {
            part: sorted(firsts[named & near & mask].tolist(), reverse=True)
            for part, mask in (("right", right), ("wrong", ~right))
        }
        found.append({"images": int(right.sum()), "answers": int(named.sum()), **parts})
    return found


def page_data(content: Content, thresholds: Thresholds) -> dict[str, Any]:
    """What the page's script counts from."""

    def bars(labels: tuple[float | None, ...]) -> list[int | None]:
        return [None if least is None else int(least * UNIT) for least in labels]

    return {
        "images": len(content.judged.classes),
        "labels": ranked(content.judged, thresholds),
        "least": bars(thresholds.labels),
        "choices": [bars(labels) for labels in content.choices.values()],
    }
