"""From a folder of images to a published version, with a tiny network."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.manifest import COMPILED_MODEL, Manifest
from model.stores.uri import open_store, resolve
from tests import ROOT
from tests.support.tiny import draw_colours, retrain_tiny, tiny_backbone
from training.closing_page import outcome_page
from training.errors import DatasetError, TrainingError
from training.finetune import FineTuning
from training.job import Job
from training.pipeline import Outcome, retrain
from training.run import Run
from training.survey import survey


def without_seconds(outcome: Outcome) -> dict[str, object]:
    return {name: value for name, value in outcome.manifest.training.items() if name != "seconds"}


def test_the_same_images_give_the_same_model(tmp_path: Path) -> None:
    outcomes = []
    for name in ("one", "two"):
        draw_colours(tmp_path / name / "images", 30)
        outcomes.append(retrain_tiny(tmp_path / name)[1])
    one, two = outcomes
    assert (one.trained.head.weights == two.trained.head.weights).all()
    assert one.manifest.metrics == two.manifest.metrics
    assert without_seconds(one) == without_seconds(two)
    assert one.manifest.files[COMPILED_MODEL] == two.manifest.files[COMPILED_MODEL]


def test_a_second_data_set_compiles_no_backbone(tmp_path: Path) -> None:
    retrain_tiny(tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "bottlenecks").glob("*.tflite")}
    job = Job(draw_colours(tmp_path / "others", seed=5), "other", tmp_path / "bottlenecks")
    retrain(job, tiny_backbone(), open_store(str(tmp_path / "store")), Run())
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "bottlenecks").glob("*.tflite")} == kept


def test_steps_are_timed_and_kept(tmp_path: Path) -> None:
    _, outcome = retrain_tiny(tmp_path)
    assert {"photos", "features", "head", "SavedModel"} <= set(outcome.manifest.training["seconds"])
    assert "in all" in outcome_page(outcome, "store", misclassified=False)


def test_the_manifest_says_by_which_rule_the_compiled_model_ships(tmp_path: Path) -> None:
    parity = retrain_tiny(tmp_path)[1].manifest.parity
    assert parity["rule"]["agreement_at_least"] == 0.9
    assert parity["compiled"]["agreement_interval"][0] >= 0.9
    assert (parity["compiled"]["images"], parity["held_out"]) == (120, 13)


RUN = """
import sys
from pathlib import Path
from tests.support.tiny import retrain_tiny
if __name__ == "__main__":
    retrain_tiny(Path(sys.argv[1]))
"""


def test_a_training_killed_at_ten_random_moments_and_resumed_gives_the_same_model(tmp_path: Path) -> None:
    def start(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, script, folder], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})

    script = tmp_path / "run.py"
    script.write_text(RUN)
    draw_colours(tmp_path / "killed" / "images")
    shutil.copytree(tmp_path / "killed", tmp_path / "whole")
    began = time.monotonic()
    assert start(tmp_path / "whole").wait() == 0
    takes = time.monotonic() - began
    for moment in np.random.default_rng(0).uniform(0, takes, 10):
        run = start(tmp_path / "killed")
        with suppress(subprocess.TimeoutExpired):
            run.wait(moment)
        run.kill()
        run.wait()
    assert start(tmp_path / "killed").wait() == 0
    whole, resumed = (newest(tmp_path / name / "store") for name in ("whole", "killed"))
    assert resumed.files[COMPILED_MODEL] == whole.files[COMPILED_MODEL]
    assert resumed.metrics == whole.metrics
    variables = "variables/variables.data-00000-of-00001"
    assert resumed.files[variables] == whole.files[variables]


def newest(store: Path) -> Manifest:
    return resolve(f"{store}/tiny").manifest()


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


def test_thresholds_and_what_they_make_of_the_test_images_are_in_the_manifest(tmp_path: Path) -> None:
    uri, outcome = retrain_tiny(tmp_path)
    manifest = resolve(uri).manifest()
    assert manifest.thresholds == outcome.trained.thresholds
    assert manifest.thresholds
    assert len(manifest.thresholds.labels) == 3
    assert manifest.thresholds.distance
    assert set(manifest.metrics["litert"]["decisions"]) == {"accepted", "precision", "false_alarms"}
    assert manifest.training["head"]["C_by"] == "out-of-fold log-loss"
    assert outcome.study.judged
    assert not set(outcome.study.judged.examples) & set(outcome.split.test)
    page = outcome_page(outcome, "store", misclassified=False)
    assert "accepted, for 95% precision: blue from" in page
