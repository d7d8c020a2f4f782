from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model.engine import Engine, Outputs
from model.errors import ModelCorrupt
from model.golden import LOG_ODDS, GoldenImage, check_golden, write_golden
from model.image import decode
from model.manifest import Manifest, describe_files
from tests.support.fakes import colour_classifier


class Linear(Engine):
    """Scores by the mean colours of the upper and the lower half, through weights (6, 3)."""

    name = "litert"

    def __init__(self, weights: NDArray[np.float64]) -> None:
        self._weights = weights

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        halves = [half.mean(axis=(1, 2)) / 255 for half in (images[:, :150], images[:, 150:])]
        powers = np.exp(np.hstack(halves) @ self._weights)
        return Outputs((powers / powers.sum(axis=1, keepdims=True)).astype(np.float32))


class Turned(Linear):
    def run(self, images: NDArray[np.uint8]) -> Outputs:
        return super().run(images[:, ::-1])


WEIGHTS = np.random.default_rng(7).normal(0, 3, (6, 3))


def halved(upper: str, lower: str) -> bytes:
    image = Image.new("RGB", (60, 80), lower)
    image.paste(upper, (0, 0, 60, 40))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Of a model whose golden images are what Linear(WEIGHTS) makes of three pictures."""
    pictures = [halved(*pair) for pair in (("orange", "navy"), ("white", "teal"), ("purple", "olive"))]
    tensors = np.stack([decode(data).tensor for data in pictures])
    scores = Linear(WEIGHTS).scores(tensors)
    images = [GoldenImage(f"{i}.png", data, {"litert": scores[i].tolist()}) for i, data in enumerate(pictures)]
    write_golden(tmp_path, images)
    return replace(colour_classifier().manifest, files=describe_files(tmp_path), golden_log_odds=LOG_ODDS)


def test_the_model_that_was_made_passes(tmp_path: Path, manifest: Manifest) -> None:
    assert check_golden(tmp_path, Linear(WEIGHTS), manifest) < 1e-6


def test_another_rounding_passes(tmp_path: Path, manifest: Manifest) -> None:
    rounded = Linear(WEIGHTS.astype(np.float16))
    assert 0 < check_golden(tmp_path, rounded, manifest) < LOG_ODDS / 10


def test_pictures_upside_down_are_noticed(tmp_path: Path, manifest: Manifest) -> None:
    with pytest.raises(ModelCorrupt, match="in log-odds"):
        check_golden(tmp_path, Turned(WEIGHTS), manifest)


@pytest.mark.parametrize("seed", range(5))
def test_weights_that_are_30_percent_off_are_noticed(tmp_path: Path, manifest: Manifest, seed: int) -> None:
    noise = 1 + np.random.default_rng(seed).normal(0, 0.3, WEIGHTS.shape)
    with pytest.raises(ModelCorrupt, match="does not run this model faithfully"):
        check_golden(tmp_path, Linear(WEIGHTS * noise), manifest)


def test_scores_that_are_no_numbers_are_noticed(tmp_path: Path, manifest: Manifest) -> None:
    with pytest.raises(ModelCorrupt, match="nan off"):
        check_golden(tmp_path, Linear(WEIGHTS * np.nan), manifest)


def test_golden_images_of_an_older_model_are_compared_in_probability(tmp_path: Path, manifest: Manifest) -> None:
    older = replace(manifest, golden_log_odds=None)
    assert check_golden(tmp_path, Linear(WEIGHTS * 1.01), older) < 0.05
    with pytest.raises(ModelCorrupt, match=r"at most 0\.05 in probability"):
        check_golden(tmp_path, Turned(WEIGHTS), older)
