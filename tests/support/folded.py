"""Features without images, for what is computed from features alone: clouds of points that are dealt into folds."""

from hashlib import sha256
from pathlib import Path

import numpy as np

from training.dataset import Example
from training.folds import Folded, deal
from training.head import LabelledFeatures
from training.run import Run


def clouds(counts: list[int], seed: int = 0, spread: float = 2.0, width: int = 20) -> LabelledFeatures:
    """One cloud of points per class around its own centre, whatever the seed, in dimensions of very different scales."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 1, (len(counts), width))
    points = [random.normal(centres[i], spread, (count, width)) for i, count in enumerate(counts)]
    features = np.concatenate(points) * np.logspace(-2, 2, width)
    return LabelledFeatures(features.astype(np.float32), np.repeat(np.arange(len(counts)), counts))


def examples_of(classes: np.ndarray, labels: str = "abcdefgh") -> tuple[Example, ...]:
    names = [sha256(f"{i}".encode()).hexdigest() for i in range(len(classes))]
    return tuple(Example(Path(f"{name}.jpg"), labels[k], name, name) for name, k in zip(names, classes, strict=True))


def folded_of(labelled: LabelledFeatures, groups: dict[str, str] | None = None) -> Folded:
    examples = examples_of(labelled.classes)
    return Folded(examples, labelled, deal(examples, groups or {}), 1000, Run(workers=2))
