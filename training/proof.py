"""Is a compiled model as good as the SavedModel? Decided by intervals, on a bounded sample of images.

A point estimate on few images is mostly chance. A compiled model ships when, at 95 %, it agrees with the SavedModel on at
least AGREEMENT of first labels and costs at most ACCURACY_LOSS of accuracy: the unfavourable end of each interval counts. With
160 images that takes 152 equal first labels. Agreement needs no labels, so any image serves; held-out ones come first.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.dataset import Example
from training.evaluation import interval
from training.head import Head
from training.split import Split

AGREEMENT = 0.90  # lower end. Of 160 images, chance refuses a model of true agreement 97 % in 5 % of runs, one of 98.6 % in 1 of 2,000
ACCURACY_LOSS = 0.05  # upper end, as a share of images. With 160 of them the interval is ± 3 points at 97 % agreement
FEWEST = 38  # images; of fewer, the intervals refuse even a model that agrees on all of them
Z = 1.96  # standard deviations: 95 % of a normal distribution


@dataclass(frozen=True)
class Parity:
    """A compiled model measured against the SavedModel on the same images."""

    precision: str
    images: int
    top1_agreement: float  # 0–1
    agreement_interval: list[float]  # Wilson's, at 95 %
    largest_difference: float  # of any probability
    accuracy_loss: float  # the SavedModel's accuracy minus the compiled model's
    accuracy_loss_interval: list[float]  # Agresti and Min's, at 95 %

    @property
    def good(self) -> bool:
        return self.agreement_interval[0] >= AGREEMENT and self.accuracy_loss_interval[1] <= ACCURACY_LOSS


def choose_sample(parts: Split, count: int) -> list[Example]:
    """At most `count` images, the same for the same split: test images first, then validation, then training."""
    ordered = chain.from_iterable(_interleaved(part) for part in (parts.test, parts.validation, parts.train))
    return list(islice(ordered, count))


def _interleaved(examples: Sequence[Example]) -> list[Example]:
    """Order examples so that any beginning holds each label by its share; those of one label by digest."""
    totals = Counter(example.label for example in examples)
    seen: Counter[str] = Counter()
    places = {}
    for example in sorted(examples, key=lambda example: example.digest):
        places[example] = ((seen[example.label] + 0.5) / totals[example.label], example.label)
        seen[example.label] += 1
    return sorted(examples, key=places.__getitem__)


def logits_of(features: NDArray[np.float32], head: Head) -> NDArray[np.float32]:
    logits: NDArray[np.float32] = features @ head.weights + head.bias  # (N, K)
    return logits


def scores_of(features: NDArray[np.float32], head: Head) -> NDArray[np.float32]:
    """What the head makes of features (N, D): scores (N, K), as the softmax inside the models computes them."""
    logits = logits_of(features, head)  # (N, K)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return scores


def compare(
    precision: str, reference: NDArray[np.float32], compiled: NDArray[np.float32], classes: NDArray[np.int64]
) -> Parity:
    """Measure a compiled model's scores (N, K) against the SavedModel's."""
    first, ours = reference.argmax(axis=1), compiled.argmax(axis=1)
    lost = int(((first == classes) & (ours != classes)).sum())
    won = int(((first != classes) & (ours == classes)).sum())
    return Parity(
        precision=precision,
        images=len(reference),
        top1_agreement=float((first == ours).mean()),
        agreement_interval=interval(int((first == ours).sum()), len(reference)),
        largest_difference=float(np.abs(reference - compiled).max()),
        accuracy_loss=(lost - won) / len(reference),
        accuracy_loss_interval=paired_interval(lost, won, len(reference)),
    )


def paired_interval(lost: int, won: int, n: int) -> list[float]:
    """95 % interval of a difference of two proportions of the same n images (Agresti and Min, 2005, Statistics in Medicine 24).

    `lost` and `won` count the images that only the first, or only the second, got right; half an image is added to each of
    the four cells.
    """
    lost_more, won_more, n_more = lost + 0.5, won + 0.5, n + 2
    middle = (lost_more - won_more) / n_more
    half = Z * np.sqrt(lost_more + won_more - (lost_more - won_more) ** 2 / n_more) / n_more
    return [float(middle - half), float(middle + half)]


def describe(parity: Parity) -> str:
    return (
        f"with 95 % confidence it agrees with the SavedModel on {parity.agreement_interval[0]:.1%} of first labels (at least "
        f"{AGREEMENT:.0%} is asked) and costs up to {max(parity.accuracy_loss_interval[1], 0):.1%} of accuracy (at most "
        f"{ACCURACY_LOSS:.0%}), by {parity.images:,} images"
    )


def why_uncompiled(parity: Mapping[str, Any]) -> str:
    """Why no compiled model ships, by what a manifest says of those that were refused."""
    images = max((refused["images"] for refused in parity.get("refused", ())), default=FEWEST)
    if images < FEWEST:
        return f"{images:,} images are too few to prove a compiled model by, which takes {FEWEST}"
    return "no compiled model was faithful enough"
