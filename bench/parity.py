"""Is the compiled model as good as the SavedModel? Both score photos that were taught to neither."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.figures import of_proportions
from bench.machine import CORES
from bench.section import Found, Goal, Section, Setup, say
from bench.tables import cell
from model.engine import Engine, LitertEngine, TensorflowEngine
from model.image import decode

BATCH = 8  # images TensorFlow scores at once; the compiled model takes them one by one
MB = 10**6
COMPILED = "compiled model, int8 weights"
GAINED = "difference, points (95 %)"


def measure(setup: Setup) -> Found:
    material = setup.material
    labels = material.labels.read_text().splitlines()
    photos = sorted(material.held_out.glob("*/*"))
    images = np.stack([decode(photo.read_bytes()).tensor for photo in photos])  # (N, 299, 299, 3)
    classes = np.array([labels.index(photo.parent.name) for photo in photos])
    say(f"scoring {len(photos):,} photos with both engines")
    expected = _scores(TensorflowEngine(material.directory, CORES), images)
    scores = _scores(LitertEngine(material.compiled, CORES), images)
    return {"engines": _compare(expected, scores, classes, _sizes(material.directory, material.compiled))}


def _scores(engine: Engine, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([engine.scores(images[first : first + BATCH]) for first in range(0, len(images), BATCH)])


def _sizes(directory: Path, compiled: Path) -> tuple[float, float]:
    """MB of the files that each engine needs."""
    extra = compiled.parent
    saved = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file() and extra not in path.parents)
    return saved / MB, compiled.stat().st_size / MB


def _compare(
    expected: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.int64], sizes: tuple[float, float]
) -> Found:
    """Rows of scores (N, K) and classes (N,)."""
    right, expected_right = scores.argmax(axis=1) == classes, expected.argmax(axis=1) == classes
    return {
        "SavedModel (TensorFlow)": {"accuracy": {"share": float(expected_right.mean())}, "MB": sizes[0]},
        COMPILED: {
            "accuracy": {"share": float(right.mean())},
            "MB": sizes[1],
            "same first label": {"share": float((scores.argmax(axis=1) == expected.argmax(axis=1)).mean())},
            "largest difference of a score": float(np.abs(scores - expected).max()),
            GAINED: asdict(of_proportions(right, expected_right)),
            "N": len(classes),
        },
    }


def goals(found: Found) -> list[Goal]:
    gained = found["engines"][COMPILED][GAINED]
    return [
        Goal(
            "the compiled model costs no accuracy (95 % interval above −2 points)",
            f"{cell(gained)} points on {gained['n']:,} photos",
            gained["low"] > -0.02,
            "more photos would narrow the interval",
        )
    ]


PARITY = Section(
    "Parity",
    {"engines": "photos that neither was taught"},
    "The engines' scores of the same decoded photos, side by side. The head is learned on the compiled backbone's features.",
    measure,
    goals,
)
