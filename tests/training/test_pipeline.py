import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.stores.uri import open_store
from tests.support.tiny import draw_colours, retrain_tiny, tiny_backbone
from training.console import outcome_page
from training.errors import DatasetError, TrainingError
from training.finetune import FineTuning
from training.pipeline import Job, retrain, survey
from training.run import Run


def test_the_same_images_give_the_same_model(tmp_path: Path) -> None:
    outcomes = []
    for name in ("one", "two"):
        draw_colours(tmp_path / name / "images", 30)
        outcomes.append(retrain_tiny(tmp_path / name)[1])
    one, two = outcomes
    assert (one.trained.head.weights == two.trained.head.weights).all()
    assert one.manifest.metrics == two.manifest.metrics
    assert one.manifest.training == two.manifest.training


def test_one_bad_file_is_set_aside_and_counted(tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "images")
    (images / "red" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    _, outcome = retrain_tiny(tmp_path)
    assert outcome.manifest.training["set_aside"] == 1
    assert sum(outcome.manifest.training["images"].values()) == 120


def test_a_conflict_of_labels_stops_training_with_the_remedy(tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "images")
    (images / "red" / "copy.jpg").write_bytes((images / "blue" / "00.jpg").read_bytes())
    with pytest.raises(DatasetError, match=r"(?s)two labels.*red/copy\.jpg.*delete one of the two"):
        retrain_tiny(tmp_path)


def test_a_label_without_a_readable_image_stops_training_by_name(tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "images")
    (images / "violet").mkdir()
    (images / "violet" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    with pytest.raises(DatasetError, match=r"'violet'.*remove the folder"):
        retrain_tiny(tmp_path)


def test_a_second_run_reuses_every_feature_and_publishes_the_next_version(tmp_path: Path) -> None:
    assert retrain_tiny(tmp_path)[1].features.cached == 0
    _, again = retrain_tiny(tmp_path)
    assert (again.features.cached, again.version) == (120, 2)


def test_a_name_that_cannot_be_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"'\.\./evil' cannot name a model"):
        Job(tmp_path, "../evil", tmp_path)


def test_a_model_is_trained_straight_into_s3(aws: str, tmp_path: Path) -> None:
    import boto3

    from model.classifier import load_classifier

    boto3.client("s3").create_bucket(Bucket="models")
    job = Job(draw_colours(tmp_path / "images"), "tiny", tmp_path / "bottlenecks")
    retrain(job, tiny_backbone(), open_store("s3://models/here"), Run())
    for engine in ("litert", "tensorflow"):
        classifier = load_classifier("s3://models/here/tiny", engine, cache=tmp_path / engine)
        assert classifier.manifest.labels == ("blue", "green", "red")
    assert not list((tmp_path / "litert").rglob("saved_model.pb"))


@pytest.mark.parametrize(("classes", "count"), [(5, 8), (2, 3), (2, 2)])
def test_small_sets_train(tmp_path: Path, classes: int, count: int) -> None:
    random = np.random.default_rng(0)
    for k in range(classes):
        (tmp_path / f"images/{k}").mkdir(parents=True)
        for i in range(count):
            pixels = np.clip(random.normal(40 * k, 20, (40, 40, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"images/{k}/{i}.png")
    _, outcome = retrain_tiny(tmp_path)
    assert {example.label for example in outcome.split.test} == set(outcome.dataset.labels)
    page = outcome_page(outcome, "store", misclassified=True)
    assert "have fewer than 10 test images: these figures are mostly chance" in page
    assert "content had left a class without" in page
    assert outcome.manifest.training["head"]["C_by"] == "default"


def test_a_divided_set_is_trained_and_tested_as_it_is_divided(tmp_path: Path) -> None:
    for part, seed in (("train", 1), ("val", 2), ("test", 3)):
        draw_colours(tmp_path / "images" / part, 20, seed)
    _, outcome = retrain_tiny(tmp_path)
    for part in ("train", "validation", "test"):
        assert {example.part for example in getattr(outcome.split, part)} == {part}
    assert outcome.manifest.training["layout"] == "<test|train|val>/<label>/<image>: divided by its folders"


def test_a_second_run_decodes_nothing(tmp_path: Path) -> None:
    retrain_tiny(tmp_path)
    database = sqlite3.connect(tmp_path / "bottlenecks/features.sqlite")
    database.execute("UPDATE pictures SET pixels = 'kept ' || pixels")
    database.commit()
    database.close()
    _, again = retrain_tiny(tmp_path)
    assert all(example.pixels.startswith("kept ") for example in again.dataset.examples)


def test_fine_tuning_without_validation_images_is_refused(tmp_path: Path) -> None:
    draw_colours(tmp_path / "images", 2)
    job = Job(tmp_path / "images", "tiny", tmp_path / "bottlenecks", fine_tuning=FineTuning(steps=1))
    with pytest.raises(DatasetError, match="judged by validation images"):
        survey(job, Run())
