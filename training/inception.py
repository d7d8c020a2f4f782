"""Inception v3 without its top, built by Keras: an image becomes a bottleneck of 2048 numbers.

The scaling of pixels to [-1, 1] is its first layer, so it travels with the weights: it cannot be forgotten in serving, or done
twice. Batch normalisation always runs in inference mode, in fine-tuning too.
"""

from pathlib import Path
from typing import Any

import numpy as np

from model.image import SIDE
from training.errors import WeightsError
from training.weights_file import named_by_content

CALIBRATION_IMAGES = 32
TUNED_ABOVE = "mixed8"  # Keras's name of the block below the two that fine-tuning changes


def build(path: Path) -> Any:
    """Image uint8 (N, 299, 299, 3) → features float32 (N, 2048), with the weights of a Keras file. Raises WeightsError."""
    return _with_scaling(_load(path))


def _load(path: Path) -> Any:
    with named_by_content(path) as named:
        try:
            network = _inception(str(named))
        except Exception as error:  # Keras raises nearly any type on a file of another network
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise WeightsError(
                f"{path} does not hold the weights of a Keras Inception v3 without its top ({first})"
            ) from error
    for weight in network.weights:
        if not np.isfinite(np.asarray(weight)).all():
            raise WeightsError(f"{path} holds NaN or infinite numbers (in {weight.path}): take a sound file")
    return network


def _inception(weights: str | None) -> Any:
    import keras

    shape = (SIDE, SIDE, 3)
    return keras.applications.InceptionV3(weights=weights, include_top=False, input_shape=shape)  # (N, 8, 8, 2048)


def _with_scaling(network: Any) -> Any:
    import keras

    image = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="image")  # (N, 299, 299, 3)
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)  # [-1, 1]
    places = network(scaled, training=False)  # (N, 8, 8, 2048)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(places))  # (N, 2048)


def unfreeze_top(model: Any) -> None:
    """Fine-tuning may change the two topmost Inception blocks, half of all weights; below, features are general.

    Batch normalisation is frozen everywhere: that alone keeps it in inference mode. Keras 3 lets `train_on_batch` override
    the `training=False` that a nested model was called with.
    """
    import keras

    above = False
    for layer in model.get_layer("inception_v3").layers:
        layer.trainable = above and not isinstance(layer, keras.layers.BatchNormalization)
        above = above or layer.name == TUNED_ABOVE


def calibrated_random(seed: int) -> Any:
    """Build an untrained Inception v3 whose features are not all but equal.

    Through 94 layers of random weights whose BatchNorm was never trained, activations vanish. One pass over sample
    images sets each BatchNorm's mean and variance to those of its own input.
    """
    import keras

    from training.sample import calibration_batch

    keras.utils.set_random_seed(seed)
    network = _inception(None)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # the moving statistics become this batch's
    images = calibration_batch(CALIBRATION_IMAGES).astype("float32")  # (32, 299, 299, 3)
    network(images / 127.5 - 1, training=True)
    return network
