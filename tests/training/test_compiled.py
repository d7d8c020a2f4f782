from pathlib import Path

import numpy as np
import pytest

from model.engine import LitertEngine
from model.errors import ModelCorrupt
from model.image import SIDE
from tests.support.tiny import tiny_backbone
from training.compiled import attach_head
from training.features import Extractor
from training.head import Head
from training.proof import scores_of

IMAGES = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Extractor(tiny_backbone(), tmp_path_factory.mktemp("compiled")).compiled()


def head_of(classes: int) -> Head:
    random = np.random.default_rng(classes)
    weights = random.normal(size=(75, classes)).astype(np.float32)
    return Head(weights, random.normal(size=classes).astype(np.float32), tuple(map(str, range(classes))), 1.0)


@pytest.mark.parametrize("classes", [2, 5, 300])
def test_an_attached_head_computes_what_the_head_makes_of_the_features(
    backbone: Path, tmp_path: Path, classes: int
) -> None:
    (tmp_path / "model.tflite").write_bytes(attach_head(backbone.read_bytes(), head_of(classes)))
    features = LitertEngine(backbone, 1, output="features").scores(IMAGES)
    scores = LitertEngine(tmp_path / "model.tflite", 1).scores(IMAGES)
    assert scores.shape == (5, classes)
    assert np.abs(scores - scores_of(features, head_of(classes))).max() < 1e-6


def test_the_same_head_gives_the_same_file(backbone: Path) -> None:
    one, two = (attach_head(backbone.read_bytes(), head_of(3)) for _ in range(2))
    assert one == two


def test_the_same_network_is_compiled_to_the_same_file(backbone: Path, tmp_path: Path) -> None:
    assert Extractor(tiny_backbone(), tmp_path).compiled().read_bytes() == backbone.read_bytes()


def test_an_output_is_taken_by_its_name(backbone: Path) -> None:
    with pytest.raises(ModelCorrupt, match="no output named 'scores'"):
        LitertEngine(backbone, 1)
