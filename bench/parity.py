"""Is the compiled model as good as the SavedModel? Both score photos that were taught to neither."""

from pathlib import Path

import numpy as np

from bench.figures import of_proportions
from bench.held_out import held_out, scores_of
from bench.machine import CORES
from bench.section import Found, Goal, Section, Setup, say
from bench.tables import cell
from model.engine import LitertEngine, TensorflowEngine

MB = 10**6
COMPILED = "compiled model, int8 weights"
GAINED = "difference, points (95 %)"


def measure(setup: Setup) -> Found:
    material, photos = setup.material, held_out(setup.material)
    say(f"scoring {len(photos.photos):,} photos with both engines")
    expected = scores_of(TensorflowEngine(material.directory, CORES), photos.photos)
    scores = scores_of(LitertEngine(material.compiled, CORES), photos.photos)
    right, expected_right = photos.right(scores), photos.right(expected)
    rows: Found = {
        "SavedModel (TensorFlow)": {
            "accuracy": {"share": float(expected_right.mean())},
            "MB": _size(material.directory, material.compiled.parent) / MB,
        },
        COMPILED: {
            "accuracy": {"share": float(right.mean())},
            "MB": material.compiled.stat().st_size / MB,
            "same first label": {"share": float((scores.argmax(axis=1) == expected.argmax(axis=1)).mean())},
            "largest difference of a score": float(np.abs(scores - expected).max()),
            GAINED: of_proportions(right, expected_right),
            "N": len(right),
        },
    }
    return {"engines": rows}


def _size(directory: Path, but: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file() and but not in path.parents)


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
