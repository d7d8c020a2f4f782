"""Both heads over many splits: ours on int8 features, retrain.py's on float features, on the same images each time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.head import Labelled, choose_strength, fit

TEST, VALIDATION = 0.15, 0.15  # of the images
STEPS = 1000  # at most, of our solver


@dataclass(frozen=True)
class Parts:
    """Indices of images."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def random_parts(count: int, seed: int) -> Parts:
    order = np.random.default_rng(seed).permutation(count)
    test, validation = round(count * TEST), round(count * VALIDATION)
    return Parts(order[test + validation :], order[test : test + validation], order[:test])


def our_accuracy(features: NDArray[np.float32], classes: NDArray[np.int64], parts: Parts) -> float:
    """Choose the regularisation on validation, fit on training and validation, test."""
    train, validation = (Labelled(features[part], classes[part]) for part in (parts.train, parts.validation))
    strength = choose_strength(train, validation, STEPS)
    head = fit(train + validation, tuple(map(str, range(classes.max() + 1))), strength, STEPS)
    logits = features[parts.test] @ head.weights + head.bias  # (N, K)
    return float((logits.argmax(axis=1) == classes[parts.test]).mean())


def their_accuracy(
    features: NDArray[np.float32], classes: NDArray[np.int64], parts: Parts, steps: int, seed: int
) -> float:
    """The recipe's own head, on batches in which each label comes as often as any other; validation only watches."""
    from bench.baselines.retrain import BATCH, Head

    random, labels = np.random.default_rng(seed), int(classes.max()) + 1
    by_class = parts.train[np.argsort(classes[parts.train], kind="stable")]
    sizes = np.bincount(classes[parts.train], minlength=labels)  # (K,)
    starts = np.cumsum(sizes) - sizes  # (K,), of each class in by_class
    head = Head(features.shape[1], labels)
    for _ in range(steps):
        chosen = random.integers(labels, size=BATCH)  # (100,)
        head.step(features[by_class[starts[chosen] + random.integers(sizes[chosen])]], chosen)
    return head.accuracy(features[parts.test], classes[parts.test])
