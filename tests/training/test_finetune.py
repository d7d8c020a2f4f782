from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.classifier import load_classifier
from model.image import SIDE
from model.stores.uri import open_store
from tests.support.tiny import draw_colours
from training.backbone import Backbone
from training.finetune import Augmentation, FineTuning, augment
from training.job import Job
from training.pipeline import Outcome, retrain
from training.run import Run

PERCENT = st.integers(0, 90)


def learnable() -> Any:
    """A backbone that could tell colours better than it does: four random projections of coarse colour."""
    import keras

    keras.utils.set_random_seed(3)
    image = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="image")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)
    pooled = keras.layers.AveragePooling2D(37)(scaled)  # (N, 8, 8, 3)
    places = keras.layers.Conv2D(4, 1, activation="relu")(pooled)  # (N, 8, 8, 4)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(places))  # (N, 4)


def learn_all(_: Any) -> None:
    pass


def tune(folder: Path, how: FineTuning) -> Outcome:
    backbone = Backbone("learnable", "none", "1" * 64, learnable, unfreeze_top=learn_all)
    job = Job(draw_colours(folder / "images", 30), "tuned", folder / "bottlenecks", fine_tuning=how)
    return retrain(job, backbone, open_store(str(folder / "store")), Run())


def test_what_is_better_on_validation_is_kept_and_served(tmp_path: Path) -> None:
    outcome = tune(tmp_path, FineTuning(30, 0.01, Augmentation(flip_left_right=True, random_brightness=5)))
    history = outcome.manifest.training["fine_tuning"]
    before, after = history["validation_log_loss"]
    assert history["kept"]
    assert after < before
    assert outcome.manifest.metrics["tensorflow"]["accuracy"] == 1
    assert load_classifier(f"{tmp_path}/store/tuned").manifest.training["fine_tuning"]["steps"] == 30


def test_what_is_worse_on_validation_is_dropped_and_said(tmp_path: Path) -> None:
    spoiled = tune(tmp_path / "spoiled", FineTuning(1, 30.0))
    plain = tune(tmp_path / "plain", FineTuning())
    assert not spoiled.manifest.training["fine_tuning"]["kept"]
    assert plain.manifest.training["fine_tuning"] is None
    assert (spoiled.trained.head.weights == plain.trained.head.weights).all()


@given(st.booleans(), PERCENT, PERCENT, PERCENT, st.integers(0, 2**32))
def test_a_distorted_image_keeps_its_shape(flip: bool, crop: int, scale: int, light: int, seed: int) -> None:
    image = np.full((SIDE, SIDE, 3), 100, np.uint8)
    found = augment(image, Augmentation(flip, crop, scale, light), np.random.default_rng(seed))
    assert found.shape == image.shape
    assert found.dtype == np.uint8
    assert abs(found.mean() - 100) <= light + 1


def test_without_distortions_an_image_stays_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    assert (augment(image, Augmentation(), np.random.default_rng(1)) == image).all()


def test_half_of_the_images_are_mirrored() -> None:
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[:, :10] = 255
    random = np.random.default_rng(0)
    mirrored = [augment(image, Augmentation(flip_left_right=True), random)[0, -1, 0] == 255 for _ in range(200)]
    assert 70 < sum(mirrored) < 130


def test_only_the_two_topmost_inception_blocks_learn_and_no_batch_normalisation(shared_data: Path) -> None:
    from training.weights import find_weights, inception_v3

    backbone = inception_v3(find_weights(str(shared_data / "inception_v3.weights.h5"), shared_data))
    model = backbone.build()
    backbone.unfreeze_top(model)
    count = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    assert 0.4 < count / model.count_params() < 0.6
    normalisations = [w for w in model.weights if "batch_normalization" in w.path]
    before = [w.numpy() for w in normalisations]
    model.compile("sgd", "mse")
    model.train_on_batch(np.full((2, SIDE, SIDE, 3), 200, np.uint8), np.zeros((2, 2048)))
    assert len(normalisations) > 200
    assert all((w.numpy() == b).all() for w, b in zip(normalisations, before, strict=True))


def test_a_distortion_without_fine_tuning_is_refused() -> None:
    from click.testing import CliRunner

    from training.cli import main

    found = CliRunner().invoke(main, ["retrain", "photos", "--name", "x", "--flip_left_right"])
    assert found.exit_code == 2
    assert "--fine-tuning-steps" in found.stderr
