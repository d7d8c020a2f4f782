"""Inception v3 without its top: an image becomes a bottleneck, the 2048 numbers that the head learns from.

Keras builds it. The scaling of pixels to [-1, 1] is its first layer, so it travels with the weights: it cannot be forgotten
in serving, or done twice. Batch normalisation always runs in inference mode, in fine-tuning too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from model.image import SIDE
from training.errors import WeightsError
from training.weights import Weights

CALIBRATION_IMAGES = 32
TUNED_ABOVE = "mixed8"  # Keras's name of the block below the two that fine-tuning changes


@dataclass(frozen=True)
class Backbone:
    name: str
    weights: str  # imagenet, random, or a file's name
    sha256: str  # of the weights file
    build: Callable[[], Any]  # → a keras.Model: image uint8 (N, 299, 299, 3) → features float32 (N, D)
    free_top: Callable[[Any], None]  # leaves only the top of what `build` made trainable


def inception_v3(weights: Weights) -> Backbone:
    return Backbone("inception_v3", weights.choice, weights.sha256, lambda: _with_scaling(_load(weights)), _free_top)


def _load(weights: Weights) -> Any:
    try:
        return _inception(str(weights.path))
    except (ValueError, OSError, KeyError) as error:
        raise WeightsError(
            f"{weights.path} does not hold the weights of a Keras Inception v3 without its top ({error})"
        ) from error


def _inception(weights: str | None) -> Any:
    import keras

    shape = (SIDE, SIDE, 3)
    return keras.applications.InceptionV3(weights=weights, include_top=False, pooling="avg", input_shape=shape)


def _with_scaling(network: Any) -> Any:
    import keras

    image = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="image")  # (N, 299, 299, 3)
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)  # [-1, 1]
    return keras.Model(image, network(scaled, training=False))  # (N, 2048)


def _free_top(model: Any) -> None:
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
