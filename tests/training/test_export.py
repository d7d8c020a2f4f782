"""The exported directory, called by TensorFlow alone, without any code of this project."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from model.classifier import load_classifier
from model.engine import Outputs
from model.errors import ModelCorrupt
from model.golden import LOG_ODDS, SCORES
from model.image import decode
from model.manifest import COMPILED_MODEL, EXTRA, GOLDEN, LABELS, MANIFEST, Manifest
from tests.support.tiny import retrain_tiny
from training.errors import ExportError
from training.export import refuse_difference
from training.familiarity import distances, fit_familiarity
from training.head import Head
from training.proof import logits_of, scores_of


@pytest.fixture(scope="module")
def directory(tiny_model: str) -> Path:
    return Path(tiny_model) / "1"


@pytest.fixture(scope="module")
def photos(tiny_model: str) -> list[Path]:
    return sorted((Path(tiny_model).parents[1] / "images").glob("*/0*.jpg"))


def test_serving_default_scores_a_batch_without_any_code_of_ours(directory: Path, photos: list[Path]) -> None:
    images = np.stack([decode(path.read_bytes()).tensor for path in photos])
    scores = (
        tf.saved_model.load(str(directory)).signatures["serving_default"](image=tf.constant(images))["scores"].numpy()
    )
    assert scores.shape == (len(photos), 3)
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)
    labels = (directory / LABELS).read_text().splitlines()
    assert [labels[i] for i in scores.argmax(axis=1)] == [path.parent.name for path in photos]


def test_serving_bytes_takes_encoded_images_and_names_the_classes(directory: Path, photos: list[Path]) -> None:
    encoded = tf.constant([path.read_bytes() for path in photos])
    answer = tf.saved_model.load(str(directory)).signatures["serving_bytes"](image_bytes=encoded)
    best = answer["scores"].numpy().argmax(axis=1)
    named = [row[i].decode() for row, i in zip(answer["classes"].numpy(), best, strict=True)]
    assert named == [path.parent.name for path in photos]


def test_serving_detail_gives_distance_and_maps_beside_the_same_scores(directory: Path, photos: list[Path]) -> None:
    images = tf.constant(np.stack([decode(path.read_bytes()).tensor for path in photos[:3]]))
    signatures = tf.saved_model.load(str(directory)).signatures
    found = {name: output.numpy() for name, output in signatures["serving_detail"](image=images).items()}
    assert {name: output.shape for name, output in found.items()} == {
        "scores": (3, 3),
        "distance": (3,),
        "maps": (3, 8, 8, 3),
    }
    assert sorted(signatures["serving_default"].structured_outputs) == ["scores"]
    assert np.allclose(found["scores"], signatures["serving_default"](image=images)["scores"].numpy(), atol=1e-6)
    assert sorted(signatures["serving_bytes"].structured_outputs) == ["classes", "scores"]


@pytest.mark.parametrize("spoiled", ["scores", "distances", "maps"])
def test_a_finished_file_that_computes_something_else_is_not_shipped(spoiled: str) -> None:
    features = np.random.default_rng(0).random((8, 4), np.float32)
    head = Head(np.eye(4, 2, dtype=np.float32), np.zeros(2, np.float32), ("a", "b"), 1.0)
    familiarity = fit_familiarity(features)
    logits = logits_of(features, head)
    maps = np.broadcast_to(logits[:, np.newaxis, np.newaxis], (8, 8, 8, 2))
    outputs = Outputs(scores_of(features, head), distances(features, familiarity), maps)
    refuse_difference("model", outputs, features, head, familiarity)
    wrong = replace(outputs, **{spoiled: getattr(outputs, spoiled) + 0.003})
    with pytest.raises(ExportError, match=r"0\.00[23].* off what its features give"):
        refuse_difference("model", wrong, features, head, familiarity)


def test_golden_images_are_copies_without_metadata_of_different_labels(directory: Path) -> None:
    manifest = Manifest.loads((directory / MANIFEST).read_bytes(), "here")
    assert manifest.golden_log_odds == LOG_ODDS
    expected = json.loads((directory / SCORES).read_text())
    assert len(expected) == 3
    for file, scores in expected.items():
        assert sorted(scores) == ["litert", "tensorflow"]
        with Image.open(directory / GOLDEN / file) as copy:
            assert max(copy.size) <= 640
            assert not copy.getexif()


def test_variables_are_stored_once(directory: Path) -> None:
    reader = tf.train.load_checkpoint(str(directory / "variables" / "variables"))
    stored = [name for name in reader.get_variable_to_shape_map() if name.endswith("VARIABLE_VALUE")]
    assert len(stored) == 5  # the head's weights, bias and labels, mean and directions: the tiny backbone has none


def test_the_directory_is_what_tensorflow_serving_expects(directory: Path) -> None:
    names = {path.name for path in directory.iterdir()}
    assert {"saved_model.pb", "variables", EXTRA} <= names
    assert directory.name == "1"


def test_the_manifest_tells_where_the_model_came_from(directory: Path) -> None:
    manifest = Manifest.loads((directory / MANIFEST).read_bytes(), "here")
    assert manifest.labels == ("blue", "green", "red")
    assert manifest.backbone == {"name": "tiny", "weights": "none", "sha256": "0" * 64}
    assert manifest.training["images"] == {"train": 87, "validation": 20, "test": 13}
    assert len(manifest.training["split"]["digest"]) == 64
    assert manifest.metrics["litert"]["n"] == 13
    assert manifest.metrics["litert"]["accuracy"] > 0.9
    low, high = manifest.metrics["litert"]["accuracy_interval"]
    assert 0 < low < manifest.metrics["litert"]["accuracy"] <= high
    assert manifest.parity["compiled"]["precision"] == "int8"
    assert manifest.parity["compiled"]["top1_agreement"] == 1
    assert {"python", "keras", "numpy", "ai-edge-litert"} <= set(manifest.libraries)


@pytest.mark.parametrize("engine", ["litert", "tensorflow"])
def test_both_engines_load_the_version_and_name_every_photo(tiny_model: str, photos: list[Path], engine: str) -> None:
    classifier = load_classifier(tiny_model, engine)
    assert classifier.engine.name == engine
    answers = classifier.classify(np.stack([decode(path.read_bytes()).tensor for path in photos]), top_k=2)
    assert [answer[0].name for answer in answers] == [path.parent.name for path in photos]
    assert all(len(answer) == 2 for answer in answers)


def test_a_model_that_does_not_score_its_golden_images_is_refused(tiny_model: str, tmp_path: Path) -> None:
    import shutil

    from model.manifest import describe_files

    shutil.copytree(Path(tiny_model) / "1", tmp_path / "tiny" / "1")
    directory = tmp_path / "tiny" / "1"
    expected = json.loads((directory / SCORES).read_text())
    for scores in expected.values():
        scores["litert"] = scores["litert"][::-1]
    (directory / SCORES).write_text(json.dumps(expected))
    manifest = Manifest.loads((directory / MANIFEST).read_bytes(), "here")
    fields = {**manifest.__dict__, "files": describe_files(directory)}
    (directory / MANIFEST).write_text(Manifest(**fields).dumps())  # all digests right, and still the wrong scores
    with pytest.raises(ModelCorrupt, match="golden image"):
        load_classifier(f"{tmp_path}/tiny", "litert")
    assert load_classifier(f"{tmp_path}/tiny", "tensorflow").version == 1


def test_a_compiled_model_below_the_bar_falls_back_to_a_more_exact_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.proof.AGREEMENT", 1.1)  # no compiled model can pass
    uri, outcome = retrain_tiny(tmp_path)
    assert outcome.manifest.parity["compiled"] is None
    assert [parity["precision"] for parity in outcome.manifest.parity["refused"]] == ["int8", "fp16", "fp32"]
    assert COMPILED_MODEL not in outcome.manifest.files
    assert load_classifier(uri).engine.name == "tensorflow"


def test_more_exact_models_are_not_compiled_where_too_few_images_can_prove_any(tmp_path: Path) -> None:
    _, outcome = retrain_tiny(tmp_path, proof_images=20)
    assert [parity["precision"] for parity in outcome.manifest.parity["refused"]] == ["int8"]
