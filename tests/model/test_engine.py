from pathlib import Path

import numpy as np
import pytest

from model.classifier import load_classifier
from model.engine import TensorflowEngine
from model.image import SIDE
from tests.support.before import published_before

IMAGES = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3)).astype(np.uint8)


@pytest.mark.parametrize("engine", ["litert", "tensorflow"])
def test_a_model_gives_scores_distances_and_maps(tiny_model: str, engine: str) -> None:
    found = load_classifier(tiny_model, engine).engine.run(IMAGES)
    assert found.scores.shape == (3, 3)
    assert found.distances is not None
    assert found.maps is not None
    assert found.distances.shape == (3,)
    assert found.maps.shape == (3, 8, 8, 3)
    powers = np.exp(found.maps.mean(axis=(1, 2)))  # the mean over places is the logit
    assert np.allclose(powers / powers.sum(axis=1, keepdims=True), found.scores, atol=1e-5)


def test_both_engines_give_the_same(tiny_model: str) -> None:
    one, two = (load_classifier(tiny_model, engine).engine.run(IMAGES) for engine in ("litert", "tensorflow"))
    assert np.allclose(one.scores, two.scores, atol=1e-3)
    assert np.allclose(one.distances, two.distances, atol=1e-4)
    assert np.allclose(one.maps, two.maps, atol=1e-2)


def test_an_older_compiled_model_gives_the_same_scores_and_nothing_else(tiny_model: str, tmp_path: Path) -> None:
    older = load_classifier(published_before(tiny_model, tmp_path), "litert")
    found = older.engine.run(IMAGES)
    assert (found.scores == load_classifier(tiny_model, "litert").engine.scores(IMAGES)).all()
    assert found.distances is found.maps is None
    assert older.decisions(found) == [None] * 3


def test_an_older_savedmodel_gives_scores_and_nothing_else(tmp_path: Path) -> None:
    import tensorflow as tf

    class Older(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, SIDE, SIDE, 3), tf.uint8, name="image")])
        def serving_default(self, image):
            return {"scores": tf.reduce_mean(tf.cast(image, tf.float32), axis=[1, 2]) / 255}

    older = Older()
    tf.saved_model.save(older, str(tmp_path), signatures={"serving_default": older.serving_default})
    found = TensorflowEngine(tmp_path, 1).run(IMAGES)
    assert found.scores.shape == (3, 3)
    assert found.distances is found.maps is None
