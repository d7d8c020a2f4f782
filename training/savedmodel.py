"""Keras model → SavedModel of the backbone → compiled backbone. With saved_classifier.py all that writes TensorFlow's formats.

The module that is saved holds plain variables and functions, not the Keras model: Keras's own export writes every variable
twice, and a module that holds the model cannot be quantised. A classifier is the saved backbone with a head on top: loading
that is quicker than building and tracing the network again, and needs no Keras.
"""

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from model.image import SIDE
from training.errors import ExportError

BATCH = 4  # images that TensorFlow scores at once; more take more memory and no less time


class Precision(StrEnum):
    """Of a compiled model's weights, fastest first; each is the fallback of the one before."""

    INT8 = "int8"  # 8-bit weights, activations quantised as they come ("dynamic range")
    FP16 = "fp16"  # 16-bit weights, 32-bit arithmetic
    FP32 = "fp32"


def save_features(network: Any, directory: Path) -> None:
    """Save a keras.Model whose last layer is the mean over places.

    serving_default  image uint8 (N, 299, 299, 3) → features float32 (N, D)
    serving_places   image → places float32 (N, 8, 8, D), whose mean the features are
    """
    import keras
    import tensorflow as tf

    before = keras.Model(network.input, network.layers[-1].input)

    @tf.function(input_signature=[images_spec(tf)])  # type: ignore[untyped-decorator]
    def serving_places(image: Any) -> Any:
        return {"places": before(image, training=False)}

    @tf.function(input_signature=[images_spec(tf)])  # type: ignore[untyped-decorator]
    def serving_default(image: Any) -> Any:
        return {"features": tf.reduce_mean(serving_places(image)["places"], axis=[1, 2])}

    signatures = {"serving_default": serving_default, "serving_places": serving_places}
    save_module(tf, [variable.value for variable in network.variables], signatures, directory)


def weights_digest(network: Any) -> str:
    """SHA-256 over the weights of a keras.Model."""
    digest = sha256()
    for weights in network.get_weights():
        digest.update(weights.tobytes())
    return digest.hexdigest()


def build_features(build: Callable[[], Any], directory: Path) -> None:
    """Build a network and save it, unless that was done; the directory is there only when it is complete."""
    if directory.exists():
        return
    import keras

    keras.utils.clear_session()  # layers are numbered per process, and the compiled file holds their names
    draft = directory.with_name(f".{uuid4().hex}")
    try:
        save_features(build(), draft)
        gc.collect()  # the Keras model
        if not directory.exists():  # another run may have been quicker
            draft.rename(directory)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def prepare(threads: int) -> None:
    """Import TensorFlow: what the next calls need."""
    import tensorflow as tf

    with suppress(
        RuntimeError
    ):  # only before TensorFlow runs its first operation; a second training keeps the first one's
        tf.config.threading.set_intra_op_parallelism_threads(threads)


@lru_cache(maxsize=1)
def load_saved(directory: Path) -> Any:
    import tensorflow as tf

    return tf.saved_model.load(str(directory))


def features(directory: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Features float32 (N, D) of images (N, 299, 299, 3) by a saved backbone."""
    import tensorflow as tf

    found: NDArray[np.float32] = (
        load_saved(directory).signatures["serving_default"](image=tf.constant(images))["features"].numpy()
    )
    return found


def images_spec(tf: Any) -> Any:
    return tf.TensorSpec((None, SIDE, SIDE, 3), tf.uint8, name="image")


def save_module(
    tf: Any, variables: list[Any], signatures: dict[str, Any], directory: Path, head: dict[str, Any] | None = None
) -> None:
    module = tf.Module()
    module.variables_of_the_model, module.head = variables, head or {}
    module.signatures_of_the_model = list(signatures.values())
    with write_errors(directory):
        tf.saved_model.save(module, str(directory), signatures=signatures)


@contextmanager
def write_errors(directory: Path) -> Iterator[None]:
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        raise ExportError(f"TensorFlow cannot write {directory} ({error.message}); is the disk full?") from error


def compile_model(directory: Path, precision: Precision) -> bytes:
    """Convert a SavedModel's `serving_default` into a LiteRT model of the given weight precision."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(directory), signature_keys=["serving_default"])
    if precision is not Precision.FP32:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision is Precision.FP16:
        converter.target_spec.supported_types = [tf.float16]
    try:
        return bytes(converter.convert())
    except Exception as error:  # the converter raises types of its own, and of MLIR
        raise ExportError(f"TensorFlow's converter cannot compile the model at {precision} ({error})") from error


def compile_features(directory: Path, precision: Precision, path: Path) -> None:
    """Compile a saved backbone, unless that was done; the file is there only when it is complete."""
    if path.exists():
        return
    draft = path.with_name(f".{uuid4().hex}.tflite")
    try:
        draft.write_bytes(compile_model(directory, precision))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
