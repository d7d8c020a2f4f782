"""Both heads over many splits: ours on int8 features, retrain.py's on float features, on the same images each time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.head import LabelledFeatures, choose_c, fit

TEST, VALIDATION = 0.15, 0.15  # of the images
STEPS = 1000  # at most, of our solver
BATCH = 100
LEARNING_RATE = 0.01


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
    train, validation = (LabelledFeatures(features[part], classes[part]) for part in (parts.train, parts.validation))
    strength = choose_c(train, validation, STEPS)
    head = fit(train + validation, tuple(map(str, range(classes.max() + 1))), strength, STEPS)
    logits = features[parts.test] @ head.weights + head.bias  # (N, K)
    return float((logits.argmax(axis=1) == classes[parts.test]).mean())


def their_accuracy(
    features: NDArray[np.float32], classes: NDArray[np.int64], parts: Parts, steps: int, seed: int
) -> float:
    """Descend `steps` batches of 100 training images, each label as often as any other; test. Validation only watches."""
    random = np.random.default_rng(seed)
    by_class = parts.train[np.argsort(classes[parts.train], kind="stable")]
    sizes = np.bincount(classes[parts.train])  # (K,)
    starts = np.cumsum(sizes) - sizes  # (K,), of each class in by_class
    weights = random.normal(0, 0.001, (features.shape[1], len(sizes))).astype(np.float32)
    bias = np.zeros(len(sizes), np.float32)
    for _ in range(steps):
        chosen = random.integers(len(sizes), size=BATCH)  # (100,)
        batch = features[by_class[starts[chosen] + random.integers(sizes[chosen])]]  # (100, D)
        error = _softmax(batch @ weights + bias)  # (100, K)
        error[np.arange(BATCH), chosen] -= 1
        weights -= LEARNING_RATE / BATCH * (batch.T @ error)
        bias -= LEARNING_RATE / BATCH * error.sum(axis=0)
    return float(((features[parts.test] @ weights + bias).argmax(axis=1) == classes[parts.test]).mean())


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    normalised: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return normalised
