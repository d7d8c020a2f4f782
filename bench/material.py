"""What everything is measured with: labelled photos, a model trained on them, the same as ONNX graph, images to send.

It is made once, in a minute or two, and kept in build/bench until the code that trains, or what it trains on, changes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.images import write_events
from bench.machine import ROOT

SHARED = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))  # as in tests/conftest.py
DOWNLOADED = ROOT / "build" / "flower_photos_extracted" / "flower_photos"  # by `make flowers`
TAUGHT, TAUGHT_QUICK = 200, 24  # photos of each label that the model is trained on
HELD_OUT = 100  # photos of each label, after those, that it never sees
HELD_OUT_SHARE = 0.25  # of a label's photos, where there are fewer


@dataclass(frozen=True)
class Material:
    folder: Path
    source: str  # what has to be said of a figure that is made with it
    weights: str  # as `python -m training retrain --weights` takes them
    all_photos: Path  # those that models are taught and those that are held out

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def held_out(self) -> Path:
        return self.folder / "held_out"

    @property
    def uri(self) -> str:
        return str(self.folder / "store" / "flowers")

    @property
    def directory(self) -> Path:
        """The SavedModel."""
        return self.folder / "store" / "flowers" / "1"

    @property
    def compiled(self) -> Path:
        return compiled_of(self.folder / "store")

    @property
    def labels(self) -> Path:
        return self.directory / "assets.extra" / "labels.txt"

    @property
    def onnx(self) -> Path:
        return self.folder / "flowers.onnx"

    def event(self, kind: str) -> Path:
        """A Lambda event that carries an image of bench/images.py."""
        return self.folder / "events" / f"{kind}.json"


def compiled_of(store: Path) -> Path:
    return store / "flowers" / "1" / "assets.extra" / "model.tflite"


def get_material(quick: bool) -> Material:
    """Return the material, made now where it is not there."""
    folder = ROOT / "build" / "bench" / ("quick" if quick else "full")
    material = _find(folder)
    complete, key = folder / "complete", _key(material)
    if not complete.exists() or complete.read_text() != key:
        shutil.rmtree(folder, ignore_errors=True)
        _make(material, TAUGHT_QUICK if quick else TAUGHT)
        complete.write_text(key)
    return material


def _find(folder: Path) -> Material:
    if SHARED.is_dir():
        title = (
            "TensorFlow's flower_photos, with ImageNet weights of December 2015 of which two of 94 kernels are re-fitted: "
            "real features, not the original file"
        )
        return Material(folder, title, str(SHARED / "inception_v3.weights.h5"), SHARED / "flower_photos")
    if DOWNLOADED.is_dir():
        return Material(folder, "TensorFlow's flower_photos, with Keras's ImageNet weights", "imagenet", DOWNLOADED)
    title = (
        "scikit-learn's handwritten digits, with random weights, since there are no photos here (`make flowers` downloads "
        "some): times hold, accuracies mean little"
    )
    return Material(folder, title, "random", ROOT / "build" / "sample")


def _key(material: Material) -> str:
    """Changes with the photos, the weights and the code that makes the material."""
    digest = hashlib.sha256(f"{material.all_photos} {material.weights}".encode())
    sources = [*(ROOT / "model").rglob("*.py"), *(ROOT / "training").rglob("*.py"), ROOT / "bench" / "images.py"]
    for path in sorted([*sources, Path(__file__)]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _make(material: Material, per_label: int) -> None:
    folder = material.folder
    folder.mkdir(parents=True)
    if not material.all_photos.is_dir():
        _python("-m", "training", "sample", material.all_photos)
    _link(material, per_label)
    write_events(folder / "events")
    train = f"-m training retrain --name flowers --weights {material.weights} --store"
    _python(
        *train.split(),
        folder / "store",
        "--bottleneck-dir",
        folder / "bottlenecks",
        "--report-dir",
        folder / "runs",
        material.photos,
    )
    convert = "-m tf2onnx.convert --signature_def serving_default --opset 18 --saved-model"
    _python(*convert.split(), material.directory, "--output", material.onnx)


def _link(material: Material, per_label: int) -> None:
    """The first of each label, by name, are taught, the next are held out."""
    for label in sorted(path for path in material.all_photos.iterdir() if path.is_dir()):
        photos = sorted(label.iterdir())
        taught = min(per_label, int(len(photos) * (1 - HELD_OUT_SHARE)))
        for folder, chosen in (
            (material.photos, photos[:taught]),
            (material.held_out, photos[taught : taught + HELD_OUT]),
        ):
            (folder / label.name).mkdir(parents=True)
            for photo in chosen:
                (folder / label.name / photo.name).symlink_to(photo.resolve())


def _python(*arguments: str | Path) -> None:
    """Run a Python program; show what it says only if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))} failed:\n{done.stdout}")
