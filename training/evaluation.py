"""How good a model is: scores → figures. Counts are summed, divided once, and always shown with their N and interval.

It knows no model and no file; training/answers.py gets the scores.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.decision import Decision, Thresholds, decide
from training.calibration import calibration

ENOUGH = 10  # measured images of a label; on fewer, its figures are mostly chance
TOP = (3, 5)  # labels among which the right one is counted, where there are more
LEAST = 1e-7  # that a score is taken for: a true label of score 0 would make the log-loss infinite


def metrics(scores: NDArray[np.float32], classes: NDArray[np.int64], labels: Sequence[str]) -> dict[str, Any]:
    """Describe scores (N, K) against the true classes (N,), as plain values for a manifest.

    Intervals of proportions are Wilson's, at 95 %: they stay within 0–1 and hold for small N (Wilson, 1927).
    """
    predicted = scores.argmax(axis=1)  # (N,)
    right = predicted == classes
    correct = int(right.sum())
    confusion = np.zeros((len(labels), len(labels)), int)  # [true, predicted]
    np.add.at(confusion, (classes, predicted), 1)
    recalls = [confusion[i, i] / total for i, total in enumerate(confusion.sum(axis=1)) if total]
    losses = log_losses(scores, classes)
    return {
        "n": len(classes),
        "accuracy": correct / len(classes),
        "accuracy_interval": interval(correct, len(classes)),
        "balanced_accuracy": float(np.mean(recalls)),  # the mean over classes, however many images each has
        "log_loss": float(losses.mean()),
        "log_loss_interval": log_loss_interval(losses),
        "top_k": {str(k): _top(scores, classes, k) for k in TOP if len(labels) > k},
        "per_class": {label: _of_class(confusion, i) for i, label in enumerate(labels)},
        "calibration": calibration(scores.max(axis=1), right),
        "confusion": confusion.tolist(),
    }


def _top(scores: NDArray[np.float32], classes: NDArray[np.int64], k: int) -> dict[str, Any] | None:
    """How often the right label is among the k best."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # (N, k)
    return share(int((best == classes[:, np.newaxis]).any(axis=1).sum()), len(classes))


def _of_class(confusion: NDArray[np.int64], i: int) -> dict[str, Any]:
    """Precision, recall and F1 of a class; None where nothing was named so, or nothing is so.

    F1 = 2j / (1 + j), where j is the share of right ones among all that are or were named so: its interval follows from that of j.
    """
    right, there, named = (int(count) for count in (confusion[i, i], confusion[i].sum(), confusion[:, i].sum()))
    either = share(right, there + named - right)
    return {
        "n": there,
        "named": named,
        "precision": share(right, named),
        "recall": share(right, there),
        "f1": either
        and {
            "value": f1_of(either["value"]),
            "interval": [f1_of(end) for end in either["interval"]],
            "n": either["n"],
        },
    }


def f1_of(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)


def share(count: int, n: int) -> dict[str, Any] | None:
    """A proportion with its N and interval; None of nothing."""
    return {"value": count / n, "interval": interval(count, n), "n": n} if n else None


def decisions(
    scores: NDArray[np.float32],
    distances: NDArray[np.float32] | None,
    classes: NDArray[np.int64],
    thresholds: Thresholds,
) -> dict[str, Any]:
    """What becomes of the answers by the thresholds: how many are accepted, how many of these are right, how many are false alarms."""
    far = [None] * len(scores) if distances is None else distances.tolist()
    found = np.array([decide(thresholds, *pair) for pair in zip(scores, far, strict=True)])
    accepted = found == Decision.ACCEPTED
    right = scores.argmax(axis=1) == classes
    return {
        "accepted": share(int(accepted.sum()), len(scores)),
        "precision": share(int((accepted & right).sum()), int(accepted.sum())),
        "false_alarms": share(int((found == Decision.UNKNOWN).sum()), len(scores)),
    }


def unknown(known: NDArray[np.float32], others: NDArray[np.float32], thresholds: Thresholds | None) -> dict[str, Any]:
    """How well distances tell images of the labels (N,) from others (M,): AUROC, and the share found at the threshold."""
    from sklearn.metrics import roc_auc_score

    farthest = thresholds.distance if thresholds else None
    is_other = np.repeat([False, True], [len(known), len(others)])
    return {
        "n": len(others),
        "auroc": float(roc_auc_score(is_other, np.concatenate([known, others]))),
        "found": None if farthest is None else share(int((others > farthest).sum()), len(others)),
    }


def interval(correct: int, n: int) -> list[float]:
    """Wilson's 95 % confidence interval of a proportion."""
    from scipy.stats import binomtest

    found = binomtest(correct, n).proportion_ci(method="wilson")
    return [float(found.low), float(found.high)]


def log_losses(scores: NDArray[np.float32], classes: NDArray[np.int64]) -> NDArray[np.float32]:
    """−log of the score (N,) that each image's own label got."""
    losses: NDArray[np.float32] = -np.log(np.clip(scores[np.arange(len(classes)), classes], LEAST, 1))
    return losses


def log_loss_interval(losses: NDArray[np.float32]) -> list[float] | None:
    """95 % confidence interval of the mean of losses (N,), none of which is negative; None of a single one."""
    found = mean_interval(losses)
    return found and [max(end, 0.0) for end in found]


def mean_interval(values: NDArray[np.floating[Any]]) -> list[float] | None:
    """95 % confidence interval of a mean, by Student's t; None of a single value."""
    from scipy.stats import t

    if len(values) < 2:
        return None
    half = float(t.ppf(0.975, len(values) - 1)) * float(values.std(ddof=1)) / np.sqrt(len(values))
    return [float(values.mean() - half), float(values.mean() + half)]


def sentence(found: dict[str, Any]) -> str:
    """Write an accuracy as every figure here is written: with N and its interval."""
    low, high = found["accuracy_interval"]
    return f"{found['accuracy']:.1%} of N = {found['n']:,} (95 % interval {low:.1%} – {high:.1%})"
