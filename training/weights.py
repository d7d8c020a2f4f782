"""Which file the backbone's weights come from: Keras's ImageNet download, a file of yours, or random ones made here.

Whatever the choice, it ends in one Keras weights file; the file's SHA-256 is the identity of the backbone.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

from model.manifest import sha256_of
from training.backbone import Backbone
from training.errors import WeightsError
from training.inception import build, calibrated_random, unfreeze_top
from training.tensorflow_process import tensorflow_process

IMAGENET = (  # Keras's own file and MD5: keras/src/applications/inception_v3.py
    "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
    "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
IMAGENET_MD5 = "bcbd6486424b2319ff4ef7d526e38f63"
RANDOM_SEED = 1


@dataclass(frozen=True)
class Weights:
    choice: str  # imagenet, random, or the file's name
    path: Path
    sha256: str


def find_weights(choice: str, folder: Path) -> Weights:
    """Resolve `imagenet`, `random` or a path to a weights file; random ones are made once and kept in `folder`.

    Raises WeightsError, in one sentence, where they cannot be had.
    """
    if choice == "imagenet":
        path = _imagenet()
    elif choice == "random":
        path = _random(folder)
    else:
        path, choice = Path(choice).expanduser(), Path(choice).name
        if not path.is_file():
            raise WeightsError(f"--weights {path}: no such file; give `imagenet`, `random` or a Keras .h5 file")
    return Weights(choice, path, sha256_of(path))


def inception_v3(weights: Weights) -> Backbone:
    return Backbone("inception_v3", weights.choice, weights.sha256, partial(build, weights.path), unfreeze_top)


def at_hand(choice: str, folder: Path) -> bool:
    """Whether the weights are on this machine: nothing has to be fetched or made. A file of the user's is, or never will be."""
    if choice == "imagenet":
        return _imagenet_file().exists()
    return choice != "random" or _random_file(folder).exists()


def _imagenet() -> Path:
    path = _imagenet_file()
    if path.exists() and _md5_of(path) == IMAGENET_MD5:
        return path
    return tensorflow_process().submit(_download, IMAGENET, IMAGENET_MD5).result()


def _imagenet_file() -> Path:
    """Where Keras keeps its download, named without importing it."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models" / IMAGENET.rpartition("/")[2]


def _md5_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _download(address: str, md5: str) -> Path:
    import keras

    try:
        return Path(keras.utils.get_file(origin=address, cache_subdir="models", file_hash=md5))
    except Exception as error:  # get_file wraps every network failure in a bare Exception
        raise WeightsError(
            "the ImageNet weights cannot be downloaded from here; fetch "
            f"{address} on another machine and pass --weights PATH, or pass --weights random to try the machinery "
            "without them"
        ) from error


def _random(folder: Path) -> Path:
    path = _random_file(folder)
    if not path.exists():
        tensorflow_process().submit(_make_random, path).result()
    return path


def _random_file(folder: Path) -> Path:
    return folder / f"inception_v3-random-{RANDOM_SEED}.weights.h5"


def _make_random(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid4().hex}.weights.h5")
    calibrated_random(RANDOM_SEED).save_weights(draft)
    draft.replace(path)
