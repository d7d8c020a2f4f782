"""What everything is measured with: labelled photos, a model trained on them in each contender's form, images to send.

It is made once and kept in build/bench until the code that trains, or what it trains on, changes.
"""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.machine import ROOT

SHARED = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))  # as in tests/conftest.py
DOWNLOADED = ROOT / "build" / "flower_photos_extracted" / "flower_photos"  # by `make flowers`
PER_LABEL, PER_LABEL_QUICK = 300, 24  # photos; the rest is left out, so that everybody's bench does the same work


@dataclass(frozen=True)
class Source:
    """Photos and weights, and what has to be said of a figure that is made with them."""

    title: str
    photos: Path  # <photos>/<label>/<image>
    weights: str  # as `python -m training retrain --weights` takes them


@dataclass(frozen=True)
class Material:
    folder: Path
    source: str
    weights: str
    labels_count: int
    photos_count: int

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def uri(self) -> str:
        return str(self.folder / "store" / "flowers")

    @property
    def directory(self) -> Path:
        """The SavedModel."""
        return self.folder / "store" / "flowers" / "1"

    @property
    def twin(self) -> Path:
        return self.directory / "assets.extra" / "model.tflite"

    @property
    def labels(self) -> Path:
        return self.directory / "assets.extra" / "labels.txt"

    @property
    def keras(self) -> Path:
        return self.folder / "flowers.keras"

    @property
    def onnx(self) -> Path:
        return self.folder / "flowers.onnx"

    def event(self, name: str) -> Path:
        """A Lambda event that carries an image of bench/images.py."""
        return self.folder / "events" / f"{name}.json"

    def image(self, name: str) -> Path:
        return self.folder / "images" / name


def find_source() -> Source:
    if SHARED.is_dir():
        return Source(
            "TensorFlow's flower_photos, with ImageNet weights of December 2015 of which two of 94 kernels are re-fitted: "
            "real features, not the original file",
            SHARED / "flower_photos",
            str(SHARED / "inception_v3.weights.h5"),
        )
    if DOWNLOADED.is_dir():
        return Source("TensorFlow's flower_photos, with Keras's ImageNet weights", DOWNLOADED, "imagenet")
    return Source(
        "scikit-learn's handwritten digits, with random weights, since there are no photos here (`make flowers` downloads "
        "some): times hold, accuracies mean little",
        ROOT / "build" / "sample",
        "random",
    )


def get_material(quick: bool) -> Material:
    """Return the material, made now where it is not there; that takes about two minutes."""
    source = find_source()
    folder = ROOT / "build" / "bench" / ("quick" if quick else "full")
    complete = folder / "material.json"
    key = _key(source)
    if not complete.exists() or json.loads(complete.read_text())["key"] != key:
        per_label = PER_LABEL_QUICK if quick else PER_LABEL
        command = [
            sys.executable,
            "-m",
            "bench.prepare",
            str(source.photos),
            source.weights,
            str(folder),
            str(per_label),
        ]
        subprocess.run(command, cwd=ROOT, check=True)
        photos = list((folder / "photos").glob("*/*"))
        labels = {photo.parent for photo in photos}
        made = Material(folder, source.title, source.weights, len(labels), len(photos))
        complete.write_text(json.dumps({"key": key, **asdict(made)}, default=str))
    fields = json.loads(complete.read_text())
    del fields["key"]
    return Material(**fields | {"folder": Path(fields["folder"])})


def _key(source: Source) -> str:
    """Changes with the photos, the weights and the code that makes the material."""
    digest = hashlib.sha256(f"{source.photos} {source.weights}".encode())
    for room in ("model", "training", "bench"):
        for path in sorted((ROOT / room).glob("*.py")):
            if room != "bench" or path.stem in ("prepare", "images"):
                digest.update(path.read_bytes())
    return digest.hexdigest()
