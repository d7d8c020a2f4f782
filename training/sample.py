"""A small sample set that needs no download: handwritten digits that come inside scikit-learn.

They are 8 × 8 px scans (Alpaydin and Kaynak, 1998, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository), enlarged smoothly: real handwriting by 43 people, but no photographs.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.image import SIDE

COUNT = 600  # images of the sample set, about 60 of each digit
PIXELS = 128  # their side


def write_sample(directory: Path) -> int:
    """Write the first COUNT scans as PNGs to `directory`/<digit>/; return how many."""
    scans, digits = _load()
    for number in range(COUNT):
        folder = directory / str(digits[number])
        folder.mkdir(parents=True, exist_ok=True)
        _picture(scans[number], PIXELS).save(folder / f"{number:04}.png")
    return COUNT


def calibration_batch(count: int) -> NDArray[np.uint8]:
    """Return `count` crops of scikit-learn's two sample photographs as one batch (N, 299, 299, 3)."""
    from sklearn.datasets import load_sample_images

    photos = load_sample_images().images  # two of (427, 640, 3)
    random = np.random.default_rng(0)
    crops = []
    for number in range(count):
        photo = photos[number % len(photos)]
        top, left = (random.integers(0, edge - SIDE) for edge in photo.shape[:2])
        crops.append(photo[top : top + SIDE, left : left + SIDE])
    return np.stack(crops)


def _load() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    found = load_digits()  # 1,797 images
    return found.images, found.target  # (N, 8, 8) of ink 0–16, (N,)


def _picture(scan: NDArray[np.float64], side: int) -> Image.Image:
    """Dark ink on white paper, enlarged."""
    paper = Image.fromarray((255 - scan * 255 / 16).astype(np.uint8))
    return paper.resize((side, side), Image.Resampling.BICUBIC)
