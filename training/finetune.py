"""The optional second stage: the top blocks of the backbone and the head are trained together on augmented images.

Augmentation stays in the input pipeline: none reaches the exported graph. Whether the result is kept is decided by what
validation images say of it (training/pipeline.py); they are not learned from here.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.image import SIDE, decode
from training.backbone import Backbone
from training.dataset import Example
from training.head import Head, class_weights
from training.run import Run
from training.split import Split

BATCH = 32  # images a step
SEED = 1  # of the order of images and of their augmentation


@dataclass(frozen=True)
class Augmentation:
    """How an image is changed each time it is used; the names and meanings are those of retrain.py."""

    flip_left_right: bool = False  # every second time
    random_crop: int = 0  # %: how much larger than the crop the image is made
    random_scale: int = 0  # %: by how much it is enlarged at most
    random_brightness: int = 0  # %: by how much it is lightened or darkened at most


@dataclass(frozen=True)
class FineTuning:
    steps: int = 0  # of BATCH images; none: no second stage
    learning_rate: float = 1e-5
    augmentation: Augmentation = Augmentation()


@dataclass(frozen=True, eq=False)
class Tuned:
    network: Any  # keras.Model: image uint8 (N, 299, 299, 3) → features (N, D)
    head: Head
    scores: NDArray[np.float32]  # (N, K) of the validation images


def fine_tune(backbone: Backbone, head: Head, parts: Split, how: FineTuning, run: Run) -> Tuned:
    """Learn on from a head that was fitted to the training images alone, so that validation stays unseen."""
    import keras

    network = backbone.build()
    backbone.unfreeze_top(network)
    classify = keras.layers.Dense(len(head.labels), activation="softmax")
    model = keras.Model(network.input, classify(network.output))
    classify.set_weights([head.weights, head.bias])
    model.compile(keras.optimizers.Adam(how.learning_rate), "sparse_categorical_crossentropy")

    weights = class_weights(_classes(parts.train, head.labels), len(head.labels))  # (K,)
    batches = _batches(parts.train, head.labels, how, run)
    for images, classes in run.progress.items("fine-tuning", batches, how.steps):
        model.train_on_batch(images, classes, sample_weight=weights[classes])
    learned, bias = classify.get_weights()
    return Tuned(network, Head(learned, bias, head.labels, head.c), _scores(model, parts.validation, run))


def augment(tensor: NDArray[np.uint8], how: Augmentation, random: np.random.Generator) -> NDArray[np.uint8]:
    """Distort one image (299, 299, 3); the size stays."""
    grown = (1 + how.random_crop / 100) * (1 + random.uniform(0, how.random_scale / 100))
    side = round(SIDE * grown)
    top, left = random.integers(0, side - SIDE + 1, 2)
    if side > SIDE:
        larger = Image.fromarray(tensor).resize((side, side), Image.Resampling.BILINEAR)
        tensor = np.asarray(larger)[top : top + SIDE, left : left + SIDE]
    if how.flip_left_right and random.random() < 0.5:
        tensor = tensor[:, ::-1]
    light = 1 + random.uniform(-how.random_brightness, how.random_brightness) / 100
    return tensor if light == 1 else np.clip(tensor * light, 0, 255).astype(np.uint8)


def _batches(
    examples: Sequence[Example], labels: tuple[str, ...], how: FineTuning, run: Run
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Yield batches (B, 299, 299, 3) and (B,); every image comes once before any comes again."""
    random = np.random.default_rng(SEED)
    queue: list[int] = []
    with ThreadPoolExecutor(run.workers) as pool:
        for _ in range(how.steps):
            while len(queue) < BATCH:
                queue += random.permutation(len(examples)).tolist()
            chosen, queue = [examples[i] for i in queue[:BATCH]], queue[BATCH:]
            tensors = pool.map(lambda example: decode(example.path.read_bytes(), run.limits).tensor, chosen)
            images = np.stack([augment(tensor, how.augmentation, random) for tensor in tensors])
            yield images, _classes(chosen, labels)


def _classes(examples: Sequence[Example], labels: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([labels.index(example.label) for example in examples])  # (N,)


def _scores(model: Any, examples: Sequence[Example], run: Run) -> NDArray[np.float32]:
    """Scores (N, K)."""
    starts = range(0, len(examples), BATCH)
    found = []
    for start in run.progress.items("validating", starts, len(starts)):
        batch = examples[start : start + BATCH]
        images = np.stack([decode(example.path.read_bytes(), run.limits).tensor for example in batch])
        found.append(model.predict_on_batch(images))  # (B, K)
    return np.concatenate(found)
