"""A tiny real model for quick tests: pictures of one colour with noise, and a backbone that sees coarse colour only."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from model.image import SIDE
from model.stores.uri import open_store
from training.backbone import Backbone
from training.job import Job
from training.pipeline import Outcome, retrain
from training.run import Run

COLOURS = {"blue": (40, 60, 200), "green": (40, 190, 60), "red": (210, 50, 40)}
LEVELS = (0.0, 0.4, 0.8, 1.2)  # of brightness, 0–2: a feature is how far a channel passes one of them


def draw_colours(directory: Path, per_class: int = 40, seed: int = 0) -> Path:
    """Write noisy single-colour JPEGs to `directory`/<colour>/."""
    random = np.random.default_rng(seed)
    for label, colour in COLOURS.items():
        (directory / label).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            pixels = np.clip(random.normal(colour, 40, (48, 64, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(directory / label / f"{number:02}.jpg")
    return directory


def tiny_backbone() -> Backbone:
    return Backbone("tiny", "none", "0" * 64, _coarse_colour, unfreeze_top=_learn_all)


def _learn_all(_: Any) -> None:
    pass


def _coarse_colour() -> Any:
    import keras

    image = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="image")  # (N, 299, 299, 3)
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)
    pooled = keras.layers.AveragePooling2D(37)(scaled)  # (N, 8, 8, 3)
    bright = [keras.layers.ReLU()(keras.layers.Rescaling(1, offset=1 - level)(pooled)) for level in LEVELS]
    places = keras.layers.Concatenate()(bright)  # (N, 8, 8, 12)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(places))  # (N, 12)


def retrain_tiny(folder: Path, name: str = "tiny", **options: Any) -> tuple[str, Outcome]:
    """Train on drawn colours under `folder`; return the model's URI, <folder>/store/<name>, and what came out.

    `options` are fields of Job.
    """
    images = folder / "images" if (folder / "images").exists() else draw_colours(folder / "images")
    job = Job(images, name, folder / "bottlenecks", **options)
    outcome = retrain(job, tiny_backbone(), open_store(str(folder / "store")), Run())
    return f"{folder / 'store'}/{name}", outcome
