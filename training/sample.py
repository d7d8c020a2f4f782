"""Images to try it on: a small set that needs no download, and a real one that does.

The small set is handwritten digits that come inside scikit-learn. They are 8 × 8 px scans (Alpaydin and Kaynak, 1998, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository), enlarged smoothly: real handwriting by 43 people, but no photographs.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.image import SIDE
from training.errors import DatasetError

COUNT = 600  # images of the sample set, about 60 of each digit
PIXELS = 128  # their side

FLOWERS = "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz"
FLOWERS_SHA256 = "4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c"  # as TensorFlow Datasets has it


def write_sample(directory: Path) -> int:
    """Write the first COUNT scans as PNGs to `directory`/<digit>/; return how many."""
    scans, digits = _load()
    for number in range(COUNT):
        folder = directory / str(digits[number])
        folder.mkdir(parents=True, exist_ok=True)
        _picture(scans[number], PIXELS).save(folder / f"{number:04}.png")
    return COUNT


def download_flowers(directory: Path) -> Path:
    """Fetch and unpack TensorFlow's flower_photos once; return the folder of labelled folders. Raises DatasetError."""
    import keras

    directory.mkdir(parents=True, exist_ok=True)
    try:
        unpacked = keras.utils.get_file(
            "flower_photos.tgz", FLOWERS, file_hash=FLOWERS_SHA256, extract=True, cache_dir=directory, cache_subdir=""
        )
    except Exception as error:  # get_file wraps every network failure in a bare Exception
        raise DatasetError(
            f"{FLOWERS} cannot be downloaded from here ({error}); fetch and unpack it on another machine, and train on that folder: "
            "python -m training retrain flower_photos --name flowers"
        ) from error
    return Path(unpacked) / "flower_photos"


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
