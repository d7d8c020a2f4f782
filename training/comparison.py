"""Two models on the same images: which is better, by how much, and on which images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.answers import Answers
from training.evaluation import log_losses, mean_interval
from training.proof import paired_interval
from training.sources.listing import shown


@dataclass(frozen=True)
class Change:
    """An image that one model names rightly and the other does not."""

    path: Path
    label: str
    before: str  # as the first model names it
    after: str


@dataclass(frozen=True)
class Comparison:
    """What the second model gains over the first."""

    n: int
    accuracies: tuple[float, float]
    gain: float  # of accuracy
    gain_interval: list[float]  # 95 %, paired (training.proof)
    log_loss_change: float  # less is better
    log_loss_interval: list[float] | None  # 95 %, paired
    improved: tuple[Change, ...]
    regressed: tuple[Change, ...]

    @property
    def worse(self) -> bool:
        """With 95 % confidence."""
        return self.gain_interval[1] < 0

    def described(self, root: Path) -> dict[str, Any]:
        """As plain values, for JSON."""

        def rows(changes: tuple[Change, ...]) -> list[dict[str, str]]:
            return [{**vars(change), "path": shown(root, change.path)} for change in changes]

        return {**vars(self), "improved": rows(self.improved), "regressed": rows(self.regressed)}


def compare_answers(first: Answers, second: Answers) -> Comparison:
    """Compare answers to the same images; the models' labels may be in another order, and others."""
    named = [[answers.labels[i] for i in answers.scores.argmax(axis=1)] for answers in (first, second)]
    truth = [example.label for example in first.examples]
    right = [np.array([name == label for name, label in zip(names, truth, strict=True)]) for names in named]
    changes = [Change(e.path, e.label, *names) for e, *names in zip(first.examples, *named, strict=True)]
    improved = tuple(change for change, before, after in zip(changes, *right, strict=True) if after and not before)
    regressed = tuple(change for change, before, after in zip(changes, *right, strict=True) if before and not after)
    losses = [log_losses(answers.scores, answers.classes) for answers in (first, second)]
    return Comparison(
        n=len(truth),
        accuracies=(float(right[0].mean()), float(right[1].mean())),
        gain=(len(improved) - len(regressed)) / len(truth),
        gain_interval=paired_interval(len(improved), len(regressed), len(truth)),
        log_loss_change=float((losses[1] - losses[0]).mean()),
        log_loss_interval=mean_interval(losses[1] - losses[0]),
        improved=improved,
        regressed=regressed,
    )


def sentence(found: Comparison) -> str:
    low, high = found.gain_interval
    before, after = found.accuracies
    verdict = "worse" if found.worse else "better" if low > 0 else "no difference is shown"
    return (
        f"{after:.1%} against {before:.1%} of N = {found.n:,}: {found.gain:+.1%} (95 % interval {low:+.1%} – {high:+.1%}), "
        f"{verdict}; {len(found.improved):,} improved, {len(found.regressed):,} regressed"
    )
