"""Is the fast twin as good as the model? SavedModel and each kind of twin, on real photos that neither has seen.

Three quarters of the photos teach the head, the others are scored by every engine: the table from which the default is justified.
"""

import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.figures import calibration_error, of_proportions, percentiles
from bench.machine import CORES
from bench.section import Found, Goal, Setup, say
from bench.tables import difference, figure, section, table
from model.engine import Engine, LitertEngine, TensorflowEngine
from model.image import decode
from training.cache import FeatureCache
from training.dataset import Example, scan
from training.features import Extractor, extract
from training.head import LabelledFeatures, choose_c, fit
from training.run import Run
from training.savedmodel import Precision, compile_model, save_classifier
from training.split import Percentages, split
from training.weights import find_weights, inception_v3

HELD_OUT = Percentages(testing=25, validation=10)
STEPS = 1000  # of the head's solver
CALIBRATION = 50  # training photos from which full int8 learns the range of each activation
BATCH = 8  # images TensorFlow scores at once; the twins take them one by one
SINGLE = 50  # images that latency is measured with
TWINS = {
    Precision.FP32: "fp32",
    Precision.FP16: "fp16 weights",
    Precision.INT8: "int8 weights (dynamic range), the default",
    "full_int8": "int8 weights and activations",
}


@dataclass(frozen=True, eq=False)
class Data:
    """Decoded photos with what they are."""

    images: NDArray[np.uint8]  # (N, 299, 299, 3)
    classes: NDArray[np.int64]  # (N,)


def measure(setup: Setup) -> Found:
    folder = setup.material.folder / "parity"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    backbone = inception_v3(find_weights(setup.material.weights, setup.material.folder))
    extractor = Extractor(backbone, setup.material.folder / "bottlenecks")
    cache = FeatureCache(extractor.folder / "features.sqlite", extractor.identity)
    dataset = scan(setup.material.photos, decoded=cache.digests())
    parts = split(dataset.examples, HELD_OUT)
    features = dict(zip(dataset.examples, extract(dataset.examples, extractor, cache, Run()).values, strict=True))

    def labelled(examples: tuple[Example, ...]) -> LabelledFeatures:
        return LabelledFeatures(
            np.stack([features[example] for example in examples]), _classes(examples, dataset.labels)
        )

    train, validation = labelled(parts.train), labelled(parts.validation)
    head = fit(train + validation, dataset.labels, choose_c(train, validation, STEPS), STEPS)
    save_classifier(backbone.build(), head, folder)
    say(f"scoring {len(parts.test):,} photos with every engine")
    held_out = Data(_decode(parts.test), _classes(parts.test, dataset.labels))
    return _compare(folder, held_out, _decode(parts.train[:CALIBRATION]))


def _classes(examples: tuple[Example, ...], labels: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([labels.index(example.label) for example in examples])


def _decode(examples: tuple[Example, ...]) -> NDArray[np.uint8]:
    return np.stack([decode(example.path.read_bytes()).tensor for example in examples])


def _compare(folder: Path, held_out: Data, calibration: NDArray[np.uint8]) -> Found:
    reference = TensorflowEngine(folder, CORES)
    expected = _scores(reference, held_out.images)
    right = expected.argmax(axis=1) == held_out.classes
    found: Found = {"n": len(held_out.classes), "savedmodel": _figures(reference, _size(folder), expected, held_out)}
    for kind in TWINS:
        twin = folder / f"{kind}.tflite"
        twin.write_bytes(
            _full_int8(folder, calibration) if kind == "full_int8" else compile_model(folder, Precision(kind))
        )
        engine = LitertEngine(twin, CORES)
        scores = _scores(engine, held_out.images)
        found[str(kind)] = _figures(engine, twin.stat().st_size, scores, held_out) | {
            "agreement": float((scores.argmax(axis=1) == expected.argmax(axis=1)).mean()),
            "largest_difference": float(np.abs(scores - expected).max()),
            "difference": asdict(of_proportions(scores.argmax(axis=1) == held_out.classes, right)),
        }
        say(f"{kind}: {found[str(kind)]['agreement']:.1%} agree, {found[str(kind)]['ms']['p50']:.1f} ms")
    return found


def _scores(engine: Engine, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([engine.scores(images[first : first + BATCH]) for first in range(0, len(images), BATCH)])


def _figures(engine: Engine, size: int, scores: NDArray[np.float32], held_out: Data) -> Found:
    return {
        "mb": size / 1e6,
        "accuracy": float((scores.argmax(axis=1) == held_out.classes).mean()),
        "calibration_error": calibration_error(scores, held_out.classes),
        "ms": asdict(percentiles([_milliseconds(engine, image) for image in held_out.images[:SINGLE]])),
    }


def _milliseconds(engine: Engine, image: NDArray[np.uint8]) -> float:
    began = time.perf_counter()
    engine.scores(image[np.newaxis])
    return (time.perf_counter() - began) * 1000


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _full_int8(folder: Path, calibration: NDArray[np.uint8]) -> bytes:
    """What export does not make: activations quantised once and for all, by their range on a few photos."""
    import tensorflow as tf

    converter: Any = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=["serving_default"])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ({"image": image[np.newaxis]} for image in calibration)
    return bytes(converter.convert())


def tables(found: Found) -> str:
    rows = [_row("SavedModel (TensorFlow)", found["savedmodel"])]
    rows += [_row(f"twin, {title}", found[str(kind)]) for kind, title in TWINS.items()]
    header = [
        f"N = {found['n']:,} photos held out",
        "same first label",
        "largest difference",
        "accuracy",
        "difference, points (95 %)",
        "calibration error",
        "MB",
        "ms, p50",
    ]
    note = (
        "The other photos taught the head, on features of the int8 twin. Latency is one image on all "
        "cores. Calibration error: how far the first label's score is from how often it is right, on average (10 bins)."
    )
    return section("Parity", table(header, rows), note)


def _row(title: str, entry: Found) -> list[str]:
    compared = [f"{entry['agreement']:.1%}", figure(entry["largest_difference"])] if "agreement" in entry else ["", ""]
    gained = difference(entry["difference"]) if "difference" in entry else ""
    figures = [f"{entry['calibration_error']:.3f}", figure(entry["mb"]), figure(entry["ms"]["p50"])]
    return [title, *compared, f"{entry['accuracy']:.1%}", gained, *figures]


def goals(found: Found) -> list[Goal]:
    default, reference = found[str(Precision.INT8)], found["savedmodel"]
    least = min(default["difference"]["low"], 0)
    return [
        Goal(
            "the default twin costs no accuracy (95 % interval above −2 points)",
            f"{difference(default['difference'])} points on {found['n']:,} photos; {reference['ms']['p50'] / default['ms']['p50']:.1f} × faster",
            least > -0.02,
            "more photos would narrow the interval",
        )
    ]
