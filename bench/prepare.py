"""Make what everything is measured with: `python -m bench.prepare PHOTOS WEIGHTS FOLDER PER_LABEL`.

One training gives the weights of all contenders: as SavedModel with its twin (ours), as Keras file, as ONNX graph.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.images import write_images
from training.pipeline import Job, TrainedModel, retrain


def main(photos: Path, weights: str, folder: Path, per_label: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if weights == "random":
        from training.sample import write_sample

        write_sample(photos)
    link_photos(photos, folder / "photos", per_label)
    write_images(folder / "images", folder / "events")
    learned = train(folder, weights)
    save_keras(learned, folder / "flowers.keras")
    convert_onnx(folder / "store" / "flowers" / "1", folder / "flowers.onnx")


def link_photos(source: Path, target: Path, per_label: int) -> None:
    """Choose the first of each label, by name."""
    for label in sorted(path for path in source.iterdir() if path.is_dir()):
        (target / label.name).mkdir(parents=True)
        for photo in sorted(label.iterdir())[:per_label]:
            (target / label.name / photo.name).symlink_to(photo.resolve())


def train(folder: Path, weights: str) -> TrainedModel:
    from model.stores.uri import open_store
    from training.console import Console
    from training.run import Run
    from training.weights import find_weights, inception_v3

    job = Job(folder / "photos", "flowers", folder / "bottlenecks")
    backbone = inception_v3(find_weights(weights, folder))
    return retrain(job, backbone, open_store(str(folder / "store")), Run(Console())).learned


def save_keras(learned: TrainedModel, path: Path) -> None:
    import keras

    network: Any = learned.network
    scores = keras.layers.Dense(len(learned.head.labels), activation="softmax")
    model = keras.Model(network.input, scores(network.output))
    scores.set_weights([learned.head.weights, learned.head.bias])
    model.save(path)


def convert_onnx(directory: Path, path: Path) -> None:
    """Convert the SavedModel as ONNX's users do."""
    options = [
        "--saved-model",
        str(directory),
        "--signature_def",
        "serving_default",
        "--opset",
        "18",
        "--output",
        str(path),
    ]
    subprocess.run([sys.executable, "-m", "tf2onnx.convert", *options], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _, photos, weights, folder, per_label = sys.argv
    main(Path(photos), weights, Path(folder), int(per_label))
