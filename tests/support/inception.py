"""A model of the real thing's size with an int8 model, untrained: for what depends on size alone."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from model.engine import LitertEngine
from model.golden import GoldenImage, write_golden
from model.image import PREPROCESSING, SIDE, decode
from model.manifest import COMPILED_MODEL, LABELS, Manifest, describe_files
from model.stores.uri import open_store
from tests.support.fakes import picture
from training.compiled import attach_head
from training.familiarity import Familiarity
from training.head import Head
from training.saved_classifier import save_classifier
from training.savedmodel import Precision, compile_model, save_features

NAMES = ("daisy", "rose", "tulip")


def publish_inception(store: Path) -> str:
    """Publish an untrained Inception v3; return its URI."""
    import keras

    image = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="image")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)
    backbone = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))
    features = keras.layers.GlobalAveragePooling2D()(backbone(scaled, training=False))
    head = Head(np.zeros((2048, len(NAMES)), np.float32), np.arange(3, dtype=np.float32), NAMES, c=1.0)
    familiarity = Familiarity(np.zeros(2048, np.float32), np.eye(2048, 64, dtype=np.float32))
    with TemporaryDirectory() as scratch:
        saved, directory = Path(scratch, "backbone"), Path(scratch, "version")
        save_features(keras.Model(image, features), saved)
        save_classifier(saved, head, familiarity, directory)
        (directory / LABELS).parent.mkdir(exist_ok=True)
        (directory / LABELS).write_text("\n".join(NAMES))
        (directory / COMPILED_MODEL).write_bytes(attach_head(compile_model(saved, Precision.INT8), head, familiarity))
        [scores] = LitertEngine(directory / COMPILED_MODEL, 1).scores(decode(picture()).tensor[np.newaxis])
        write_golden(directory, [GoldenImage("0.jpeg", picture(), {"litert": scores.tolist()})])
        files = describe_files(directory)
        manifest = Manifest("flowers", "", NAMES, PREPROCESSING, {}, {}, {}, {}, {}, None, files)
        open_store(str(store)).publish(directory, manifest)
    return str(store / "flowers")
