"""Keras model → SavedModel with two signatures → compiled model. The only module that writes TensorFlow's formats.

The module that is saved holds plain variables and functions, not the Keras model: Keras's own export writes every variable
twice, and a module that holds the model cannot be quantised.
"""

from enum import StrEnum
from pathlib import Path
from typing import Any

from model.image import SIDE
from training.errors import ExportError
from training.head import Head


class Precision(StrEnum):
    """Of a compiled model's weights, fastest first; each is the fallback of the one before."""

    INT8 = "int8"  # 8-bit weights, activations quantised as they come ("dynamic range")
    FP16 = "fp16"  # 16-bit weights, 32-bit arithmetic
    FP32 = "fp32"


def save_features(backbone: Any, directory: Path) -> None:
    """Save image uint8 (N, 299, 299, 3) → features float32 (N, D)."""
    import tensorflow as tf

    @tf.function(input_signature=[_images(tf)])  # type: ignore[untyped-decorator]
    def features(image: Any) -> Any:
        return {"features": backbone(image, training=False)}

    _save(tf, backbone, {"serving_default": features}, directory)


def save_classifier(backbone: Any, head: Head, directory: Path) -> None:
    """Save the backbone with its head on top, as TensorFlow Serving wants it; no code of ours is needed to call it.

    serving_default  image uint8 (N, 299, 299, 3) → scores float32 (N, K)
    serving_bytes    image_bytes string (N), encoded as JPEG, PNG, GIF or BMP → scores (N, K), classes string (N, K)
    """
    import keras
    import tensorflow as tf

    classify = keras.layers.Dense(len(head.labels), activation="softmax", name="scores")
    model = keras.Model(backbone.input, classify(backbone.output))
    classify.set_weights([head.weights, head.bias])

    @tf.function(input_signature=[_images(tf)])  # type: ignore[untyped-decorator]
    def serving_default(image: Any) -> Any:
        return {"scores": model(image, training=False)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="image_bytes")])  # type: ignore[untyped-decorator]
    def serving_bytes(image_bytes: Any) -> Any:
        def decode(encoded: Any) -> Any:
            pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False)  # (h, w, 3)
            resized = tf.image.resize(pixels, (SIDE, SIDE), antialias=True)
            return tf.saturate_cast(tf.round(resized), tf.uint8)

        images = tf.map_fn(decode, image_bytes, fn_output_signature=tf.TensorSpec((SIDE, SIDE, 3), tf.uint8))
        scores = model(images, training=False)  # (N, K)
        return {"scores": scores, "classes": tf.tile(tf.constant([head.labels]), [tf.shape(scores)[0], 1])}

    _save(tf, model, {"serving_default": serving_default, "serving_bytes": serving_bytes}, directory)


def _images(tf: Any) -> Any:
    return tf.TensorSpec((None, SIDE, SIDE, 3), tf.uint8, name="image")


def _save(tf: Any, model: Any, signatures: dict[str, Any], directory: Path) -> None:
    module = tf.Module()
    module.variables_of_the_model = [variable.value for variable in model.variables]
    module.signatures_of_the_model = list(signatures.values())
    try:
        tf.saved_model.save(module, str(directory), signatures=signatures)
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
