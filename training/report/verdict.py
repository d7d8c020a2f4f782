"""What the figures say, in one sentence: is the model good enough, and for what. Nothing is measured here.

The bars are stated on the page beside the sentence, so that whoever needs another one can judge by it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from training.evaluation import ENOUGH
from training.problems import counted
from training.report.content import Confusion, Content, LabelFigures
from training.report.sentences import MOST_NAMES, Label, Sentence, listed, percent, some

GOOD = 0.90  # F1 of a label that needs no more work: of ten such answers nine are right, and of ten such images nine are found
SOME = 0.25  # of the labels, that must be good enough before the model is of use for some of them
CONFUSED = 0.05  # of two labels' images: what makes two labels worth naming together
FEWEST = 3  # confused images; two may be chance in any set
# Of the confused images, the rarer way round: else one label is taken for the other, not each for the other
BOTH_WAYS = 0.25


class Level(StrEnum):
    READY = "Ready"
    PARTLY = "Ready in part"
    NOT_YET = "Not yet"
    UNTOLD = "Too early to say"


@dataclass(frozen=True)
class Verdict:
    level: Level
    sentence: Sentence


def judge(content: Content) -> Verdict:
    accuracy = content.tested.accuracy
    figures = content.figures
    good = good_labels(content)
    if all(label.recall.n < ENOUGH for label in figures):
        right = f"{accuracy.hits:,} of {counted(accuracy.n, 'image')}"
        return Verdict(Level.UNTOLD, (f"Too few images to say how good it is; it named {right} right.",))
    if len(figures) == 1:
        right = f"{accuracy.hits:,} of {counted(accuracy.n, 'image')}"
        return Verdict(Level.UNTOLD, ("Only ", Label(figures[0].label), f" was to be named; it named {right} right."))
    if accuracy.interval[0] <= _largest_share(content):
        return Verdict(Level.NOT_YET, _guessing(content))
    tail = _confused(content.confusions, {figures.label for figures in good}) or _weakest(figures)
    if len(good) < SOME * len(content.labels):
        return Verdict(Level.NOT_YET, (f"Not good enough yet, with {percent(accuracy.value)} right", *tail, "."))
    level = Level.READY if len(good) == len(content.labels) else Level.PARTLY
    return Verdict(level, ("Good enough ", *_able(good, content.labels), *tail, "."))


def _guessing(content: Content) -> Sentence:
    accuracy, counts = content.tested.accuracy, content.tested.confusion.sum(axis=1)
    right = f"{accuracy.hits:,} of {accuracy.n:,} are right, and always saying "
    commonest = Label(content.labels[int(counts.argmax())])
    return (f"Not shown to be better than guessing: {right}", commonest, f" would be right for {counts.max():,}.")


def good_labels(content: Content) -> list[LabelFigures]:
    return [label for label in content.figures if label.f1 >= GOOD and label.recall.n >= ENOUGH]


def _able(good: Sequence[LabelFigures], labels: tuple[str, ...]) -> Sentence:
    names = sorted(figures.label for figures in good)
    if len(names) == len(labels) == 2:
        return ("to tell ", Label(names[0]), " from ", Label(names[1]))
    if len(names) == len(labels):
        return (f"to name all {len(labels):,} labels",)
    if len(names) > MOST_NAMES:
        return (f"to name {len(names):,} of {len(labels):,} labels",)
    return ("to name ", *listed(names))


def _confused(pairs: Sequence[Confusion], good: Collection[str]) -> Sentence:
    """The pair that is confused most; of two labels that are good enough both there is nothing to say."""

    def fine(pair: Confusion) -> int:
        return (pair.label in good) + (pair.named in good)

    for pair in sorted((pair for pair in pairs if fine(pair) < 2), key=fine):
        together = pair.count + pair.back
        if together >= FEWEST and pair.share >= CONFUSED:
            if pair.back >= BOTH_WAYS * together:
                first, second = sorted((pair.label, pair.named))
                return ("; ", Label(first), " and ", Label(second), " are taken for each other")
            return ("; ", Label(pair.label), " is taken for ", Label(pair.named))
    return ()


def _weakest(figures: Sequence[LabelFigures]) -> Sentence:
    weak = [label for label in figures if label.f1 < GOOD and label.recall.n >= ENOUGH]
    if weak:
        return ("; ", Label(weak[0].label), f" is found in {percent(weak[0].recall.value)} of its images")
    few = [label.label for label in figures if label.recall.n < ENOUGH]
    if few:
        return ("; of ", *some(few), " there are too few images to say")
    return ()


def _largest_share(content: Content) -> float:
    counts = content.tested.confusion.sum(axis=1)
    return float(counts.max() / counts.sum())
