from pathlib import Path

import pytest

from model.stores.uri import open_store
from tests.support.tiny import draw_colours, retrain_tiny, tiny_backbone
from training.errors import DatasetError, TrainingError
from training.pipeline import Job, retrain
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
