"""The recipe of TensorFlow Hub's retrain.py, in our words: `python -m bench.peers.retrain LISTS WEIGHTS FOLDER STEPS`.

One image at a time through decoding, then through the network; each bottleneck a text file; STEPS of gradient descent on
batches of 100 whose bottlenecks are read from their files and parsed anew each time; every tenth step an evaluation on the
batch and on 100 validation images; at last the test images, and the export. Its summaries for TensorBoard are left out.
LISTS is JSON: label → training / validation / testing → paths, so that the split is the one that it is compared on.
"""

import json
import random
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

BATCH = 100
EVALUATE_EVERY = 10  # steps
LEARNING_RATE = 0.01


class Bottlenecks:
    """Reads an image's bottleneck from its text file, which is written first where there is none."""

    def __init__(self, network, folder: Path) -> None:
        self._folder = folder
        self._network = tf.function(lambda image: network(image, training=False))
        self._decode = tf.function(
            lambda encoded: tf.image.resize(
                tf.image.convert_image_dtype(tf.io.decode_jpeg(encoded, channels=3), tf.float32)[tf.newaxis], (299, 299)
            ),
            input_signature=[tf.TensorSpec((), tf.string)],
        )

    def __call__(self, path: str) -> list[float]:
        file = self._folder / Path(path).parent.name / f"{Path(path).name}_inception_v3.txt"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            image = self._decode(tf.io.read_file(path)).numpy()  # (1, 299, 299, 3), 0–1
            values = self._network(tf.constant(image * 2 - 1)).numpy()[0]  # (2048,)
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
        self.step = tf.function(self._step, reduce_retracing=True)

    def _step(self, features, classes):
        with tf.GradientTape() as tape:
            loss = self._loss(classes, self.layer(features))
        self._optimizer.apply(tape.gradient(loss, self.layer.trainable_variables), self.layer.trainable_variables)

    def accuracy(self, features, classes) -> float:
        return float((self.layer(features).numpy().argmax(axis=1) == classes).mean())


def main(lists: dict[str, dict[str, list[str]]], weights: str, folder: Path, steps: int) -> None:
    started = time.monotonic()
    network = keras.applications.InceptionV3(
        weights=weights, include_top=False, pooling="avg", input_shape=(299, 299, 3)
    )
    bottleneck = Bottlenecks(network, folder)
    labels = list(lists)
    everything = [path for parts in lists.values() for paths in parts.values() for path in paths]
    begun = time.monotonic()
    for path in everything:
        bottleneck(path)
    extracted = time.monotonic()

    def sample(part: str):
        classes = [random.randrange(len(labels)) for _ in range(BATCH)]
        chosen = [bottleneck(random.choice(lists[labels[number]][part])) for number in classes]
        return tf.constant(chosen), np.array(classes)

    head = Head(2048, len(labels))
    for step in range(steps):
        features, classes = sample("training")
        head.step(features, classes)
        if step % EVALUATE_EVERY == 0 or step == steps - 1:
            head.accuracy(features, classes)
            head.accuracy(*sample("validation"))
    tests = [(bottleneck(path), number) for number, label in enumerate(labels) for path in lists[label]["testing"]]
    accuracy = head.accuracy(
        tf.constant([features for features, _ in tests]), np.array([number for _, number in tests])
    )
    learned = time.monotonic()
    keras.Model(network.input, head.layer(network.output)).export(folder / "model", verbose=False)
    exported = time.monotonic()
    features = np.array([bottleneck(path) for path in everything], np.float32)
    np.savez(folder / "features.npz", paths=everything, features=features)
    print(
        json.dumps(
            {
                "building": begun - started,
                "features": extracted - begun,
                "head": learned - extracted,
                "export": exported - learned,
                "accuracy": accuracy,
            }
        )
    )


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
