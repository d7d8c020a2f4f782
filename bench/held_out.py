"""The photos that no model of the benchmarks was taught, with what they are, and how a model of ours names them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.material import Material
from model.engine import Engine
from model.image import decode

BATCH = 8  # images TensorFlow scores at once; the compiled model takes them one by one


@dataclass(frozen=True, eq=False)
class HeldOut:
    photos: list[Path]  # N
    labels: list[str]  # K, in score order
    classes: NDArray[np.int64]  # (N,)

    def right(self, scores: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which of the photos these scores (N, K) name rightly."""
        return np.array(scores.argmax(axis=1) == self.classes)


def held_out(material: Material) -> HeldOut:
    photos, labels = sorted(material.held_out.glob("*/*")), material.labels.read_text().splitlines()
    return HeldOut(photos, labels, np.array([labels.index(photo.parent.name) for photo in photos]))


def scores_of(engine: Engine, photos: list[Path]) -> NDArray[np.float32]:
    images = np.stack([decode(photo.read_bytes()).tensor for photo in photos])  # (N, 299, 299, 3)
    return np.concatenate([engine.scores(images[first : first + BATCH]) for first in range(0, len(images), BATCH)])
