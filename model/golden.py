"""Golden images: a few test images inside the model with the scores they must get, so a bad load is never served."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.engine import Engine
from model.errors import ModelCorrupt
from model.image import decode
from model.manifest import GOLDEN

SCORES = f"{GOLDEN}/scores.json"  # image file → engine → scores
TOLERANCE = 0.05  # in probability: other processors round differently, a wrong model is off by far more


@dataclass(frozen=True)
class GoldenImage:
    file: str  # inside the golden directory
    data: bytes  # as it came: its decoding is part of what is checked
    scores: dict[str, list[float]]  # engine → (K,) probabilities


def write_golden(directory: Path, images: list[GoldenImage]) -> None:
    """Write the images and their expected scores into a version's directory."""
    (directory / GOLDEN).mkdir(parents=True, exist_ok=True)
    for image in images:
        (directory / GOLDEN / image.file).write_bytes(image.data)
    expected = {image.file: image.scores for image in images}
    (directory / SCORES).write_text(json.dumps(expected, indent=1) + "\n")


def check_golden(directory: Path, engine: Engine) -> float:
    """Score the golden images; return the largest difference in probability. Raises ModelCorrupt beyond TOLERANCE."""
    expected: dict[str, dict[str, list[float]]] = json.loads((directory / SCORES).read_text())
    images = np.stack(
        [decode((directory / GOLDEN / file).read_bytes()).tensor for file in expected]
    )  # (N, 299, 299, 3)
    wanted = np.array([scores[engine.name] for scores in expected.values()])  # (N, K)
    difference = float(np.abs(engine.scores(images) - wanted).max())
    if not difference <= TOLERANCE:  # NaN too
        raise ModelCorrupt(
            f"{directory}: a golden image scores {difference:.3f} off what it scored when the model was made (tolerance "
            f"{TOLERANCE}): this engine does not run this model faithfully here"
        )
    return difference
