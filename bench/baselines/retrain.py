"""The recipe of TensorFlow Hub's retrain.py, in our words. Its event names lists, weights, a folder and how many steps.

One image at a time through decoding, then through the network; each bottleneck a text file; steps of gradient descent on
batches of 100 whose bottlenecks are read from their files and parsed anew each time; every tenth step an evaluation on the
batch and on 100 validation images; at last the test images, and the export. Its summaries for TensorBoard are left out.
The lists are JSON: label → training / validation / testing → paths, so that the split is the one that it is compared on.
"""

import json
import random
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

BATCH = 100
EVALUATE_EVERY = 10  # steps
LEARNING_RATE = 0.01

Lists = dict[str, dict[str, list[str]]]


def decode(encoded: Any) -> Any:
    """(1, 299, 299, 3), −1 to 1."""
    image = tf.image.convert_image_dtype(tf.io.decode_jpeg(encoded, channels=3), tf.float32)  # 0 to 1
    return tf.image.resize(image[tf.newaxis], (299, 299)) * 2 - 1


class Bottlenecks:
    """Reads an image's bottleneck from its text file, which is written first where there is none."""

    def __init__(self, network: Any, folder: Path) -> None:
        self._folder = folder
        self._network = tf.function(lambda image: network(image, training=False))
        self._decode = tf.function(decode, input_signature=[tf.TensorSpec((), tf.string)])

    def __call__(self, path: str) -> list[float]:
        file = self._folder / Path(path).parent.name / f"{Path(path).name}_inception_v3.txt"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            image = self._decode(tf.io.read_file(path)).numpy()
            values = self._network(tf.constant(image)).numpy()[0]  # (2048,)
            file.write_text(",".join(str(value) for value in values))
        return [float(value) for value in file.read_text().split(",")]


class Head:
    """A softmax layer that learns by plain gradient descent."""

    def __init__(self, size: int, classes: int) -> None:
        self.layer = keras.layers.Dense(
            classes, kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.001), activation="softmax"
        )
        self.layer.build((None, size))
        self._optimizer = keras.optimizers.SGD(LEARNING_RATE)
        self._loss = keras.losses.SparseCategoricalCrossentropy()
        self._step = tf.function(self._descend, reduce_retracing=True)

    def step(self, features: list[list[float]], classes: NDArray[np.int64]) -> None:
        self._step(tf.constant(features), tf.constant(classes))

    def accuracy(self, features: list[list[float]], classes: NDArray[np.int64]) -> float:
        return float((self.layer(tf.constant(features)).numpy().argmax(axis=1) == classes).mean())

    def _descend(self, features: Any, classes: Any) -> None:
        with tf.GradientTape() as tape:
            loss = self._loss(classes, self.layer(features))
        self._optimizer.apply(tape.gradient(loss, self.layer.trainable_variables), self.layer.trainable_variables)


def learn(bottleneck: Bottlenecks, lists: Lists, steps: int) -> Head:
    labels = list(lists)

    def sample(part: str) -> tuple[list[list[float]], NDArray[np.int64]]:
        classes = [random.randrange(len(labels)) for _ in range(BATCH)]
        return [bottleneck(random.choice(lists[labels[number]][part])) for number in classes], np.array(classes)

    head = Head(2048, len(labels))
    for step in range(steps):
        features, classes = sample("training")
        head.step(features, classes)
        if step % EVALUATE_EVERY == 0 or step == steps - 1:
            head.accuracy(features, classes)
            head.accuracy(*sample("validation"))
    return head


def name_tests(head: Head, bottleneck: Bottlenecks, lists: Lists) -> list[str]:
    """What the head names the test images, label by label as they are listed."""
    labels = list(lists)
    features = [bottleneck(path) for label in labels for path in lists[label]["testing"]]
    return [labels[scores.argmax()] for scores in head.layer(tf.constant(features)).numpy()]


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    lists, folder = json.loads(Path(event["lists"]).read_text()), Path(event["folder"])
    started = time.monotonic()
    network = keras.applications.InceptionV3(
        weights=event["weights"], include_top=False, pooling="avg", input_shape=(299, 299, 3)
    )
    bottleneck = Bottlenecks(network, folder)
    built = time.monotonic()
    for parts in lists.values():
        for paths in parts.values():
            for path in paths:
                bottleneck(path)
    extracted = time.monotonic()
    head = learn(bottleneck, lists, event["steps"])
    named = name_tests(head, bottleneck, lists)
    learned = time.monotonic()
    keras.Model(network.input, head.layer(network.output)).export(folder / "model", verbose=False)
    steps = {
        "building the network": built - started,
        "features": extracted - built,
        "head": learned - extracted,
        "export": time.monotonic() - learned,
    }
    return {"statusCode": 200, "body": json.dumps({"steps": steps, "named": named})}
