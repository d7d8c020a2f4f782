"""Golden images: a few test images inside the model with the scores they must get, so a bad load is never served."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from model.engine import Engine
from model.errors import ImageError, ModelCorrupt
from model.image import decode
from model.manifest import GOLDEN, Manifest

SCORES = f"{GOLDEN}/scores.json"  # image file → engine → scores
Expected = dict[str, dict[str, list[float]]]  # image file → engine → (K,) probabilities
TOLERANCE = 0.05  # in probability, of golden images that were chosen for their size
LOG_ODDS = 0.25  # of three of uncertain answers, the mean of each one's largest difference (docs/decisions.md)
FLOOR = 1e-4  # of a probability; what is below is as good as none


@dataclass(frozen=True)
class GoldenImage:
    file: str  # inside the golden directory
    data: bytes  # encoded: its decoding is part of what is checked
    scores: dict[str, list[float]]  # engine → (K,) probabilities


def write_golden(directory: Path, images: list[GoldenImage]) -> None:
    """Write the images and their expected scores into a version's directory."""
    (directory / GOLDEN).mkdir(parents=True, exist_ok=True)
    for image in images:
        (directory / GOLDEN / image.file).write_bytes(image.data)
    expected = {image.file: image.scores for image in images}
    (directory / SCORES).write_bytes(msgspec.json.format(msgspec.json.encode(expected), indent=1) + b"\n")


def check_golden(directory: Path, engine: Engine, manifest: Manifest) -> float:
    """Score the golden images; return how far off they are, in log-odds or, of an older model, in probability.

    Raises ModelCorrupt beyond the tolerance, and where the model has none that this engine can be checked with.
    """
    try:
        expected = _read_expected(directory, manifest)
        images = np.stack([decode((directory / GOLDEN / file).read_bytes()).tensor for file in expected])
        wanted = np.array([scores[engine.name] for scores in expected.values()])  # (N, K)
        scores = engine.scores(images)  # (N, K)
    except (
        ImageError,
        OSError,
        KeyError,
        ValueError,
        RuntimeError,
    ) as error:  # ValueError: msgspec's and the engines' too
        raise ModelCorrupt(
            f"{directory}: its golden images cannot be scored ({type(error).__name__}: {error}); publish the model again"
        ) from error
    if not scores.shape == wanted.shape == (len(expected), len(manifest.labels)):
        raise ModelCorrupt(
            f"{directory}: the model has {scores.shape[-1]} scores, its golden images {wanted.shape[-1]}, its manifest "
            f"{len(manifest.labels)} labels: they must be as many; publish the model again"
        )
    difference, tolerance, unit = _difference(scores, wanted, manifest)
    if not difference <= tolerance:  # NaN too
        raise ModelCorrupt(
            f"{directory}: golden images score {difference:.3f} off what they scored when the model was made (at most "
            f"{tolerance} in {unit}): this engine does not run this model faithfully here"
        )
    return difference


def _difference(
    scores: NDArray[np.float32], wanted: NDArray[np.float64], manifest: Manifest
) -> tuple[float, float, str]:
    """How far off the scores (N, K) are, how far they may be, and in what unit."""
    if manifest.golden_log_odds is None:
        return float(np.abs(scores - wanted).max()), TOLERANCE, "probability"
    largest = np.abs(_log_odds(scores) - _log_odds(wanted)).max(axis=1)  # (N,)
    return float(largest.mean()), manifest.golden_log_odds, "log-odds"


def _log_odds(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    known = np.clip(scores.astype(np.float64), FLOOR, 1 - FLOOR)
    return np.log(known / (1 - known))


def _read_expected(directory: Path, manifest: Manifest) -> Expected:
    """Read what the golden images must score; only files that the manifest lists count, for only they were verified."""
    if SCORES not in manifest.files:
        raise ValueError("there are none")
    expected = msgspec.json.decode((directory / SCORES).read_bytes(), type=Expected)
    if not expected or not all(f"{GOLDEN}/{file}" in manifest.files for file in expected):
        raise ValueError("not all of them are in the manifest")
    return expected
