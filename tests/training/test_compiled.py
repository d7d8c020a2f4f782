from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model.engine import LitertEngine
from model.errors import ModelCorrupt
from model.image import SIDE
from tests.support.before import without_details
from tests.support.tiny import tiny_backbone
from training.compiled import attach_head
from training.errors import ExportError
from training.familiarity import Familiarity, distances, fit_familiarity
from training.features import Extractor
from training.head import Head
from training.proof import logits_of, scores_of

IMAGES = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Extractor(tiny_backbone(), tmp_path_factory.mktemp("compiled")).compiled()


def head_of(classes: int) -> Head:
    random = np.random.default_rng(classes)
    weights = random.normal(size=(12, classes)).astype(np.float32)
    return Head(weights, random.normal(size=classes).astype(np.float32), tuple(map(str, range(classes))), 1.0)


FAMILIARITY = fit_familiarity(np.random.default_rng(1).random((40, 12), np.float32))


def attached(backbone: Path, folder: Path, classes: int, familiarity: Familiarity = FAMILIARITY) -> LitertEngine:
    (folder / "model.tflite").write_bytes(attach_head(backbone.read_bytes(), head_of(classes), familiarity))
    return LitertEngine(folder / "model.tflite", 1)


def features_by(backbone: Path) -> NDArray[np.float32]:
    return LitertEngine(backbone, 1, output="features").scores(IMAGES)


@pytest.mark.parametrize("classes", [2, 5, 300])
def test_an_attached_head_computes_what_the_head_makes_of_the_features(
    backbone: Path, tmp_path: Path, classes: int
) -> None:
    features, found = features_by(backbone), attached(backbone, tmp_path, classes).run(IMAGES)
    assert found.scores.shape == (5, classes)
    assert np.abs(found.scores - scores_of(features, head_of(classes))).max() < 1e-6
    assert found.distances.shape == (5,)
    assert np.abs(found.distances - distances(features, FAMILIARITY)).max() < 1e-5
    assert found.maps.shape == (5, 8, 8, classes)
    assert np.abs(found.maps.mean(axis=(1, 2)) - logits_of(features, head_of(classes))).max() < 1e-4


def test_scores_are_bit_for_bit_those_of_the_head_alone(backbone: Path, tmp_path: Path) -> None:
    engine, alone = attached(backbone, tmp_path, 5), tmp_path / "alone.tflite"
    alone.write_bytes(without_details((tmp_path / "model.tflite").read_bytes()))
    assert (engine.scores(IMAGES) == LitertEngine(alone, 1).scores(IMAGES)).all()


def test_a_map_says_where(backbone: Path, tmp_path: Path) -> None:
    image = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    image[:, 74:148, 148:222] = 255  # two of eight places high and wide, from the third down and the fifth across
    [maps] = attached(backbone, tmp_path, 2).run(image).maps
    there = np.abs(maps - maps[0, 0]).max(axis=-1) > 1e-3
    assert np.argwhere(there).tolist() == [[2, 4], [2, 5], [3, 4], [3, 5]]


def test_maps_share_the_heads_bytes(backbone: Path, tmp_path: Path) -> None:
    attached(backbone, tmp_path, 1000)
    grown = (tmp_path / "model.tflite").stat().st_size - backbone.stat().st_size
    assert grown < 12 * 1000 * 4 * 1.5


def test_a_backbone_that_does_not_end_in_a_mean_is_refused(backbone: Path, tmp_path: Path) -> None:
    classifier = attach_head(backbone.read_bytes(), head_of(3), FAMILIARITY)
    with pytest.raises(ExportError, match="mean over places"):
        attach_head(classifier, head_of(3), FAMILIARITY)


def test_the_same_head_gives_the_same_file(backbone: Path) -> None:
    one, two = (attach_head(backbone.read_bytes(), head_of(3), FAMILIARITY) for _ in range(2))
    assert one == two


def test_the_same_network_is_compiled_to_the_same_file(backbone: Path, tmp_path: Path) -> None:
    assert Extractor(tiny_backbone(), tmp_path).compiled().read_bytes() == backbone.read_bytes()


def test_an_output_is_taken_by_its_name(backbone: Path) -> None:
    with pytest.raises(ModelCorrupt, match="no output named 'scores'"):
        LitertEngine(backbone, 1)
