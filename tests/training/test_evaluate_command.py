"""`evaluate` and `compare`: figures, gates, and what two models differ in."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from PIL import Image

from model.manifest import LABELS, describe_files
from model.stores.local import LocalStore
from model.stores.uri import resolve
from tests.support.commands import run
from tests.support.tiny import draw_colours, retrain_tiny


def test_labels_are_compared_in_one_unicode_form(tmp_path: Path) -> None:
    draw_colours(tmp_path / "images")
    (tmp_path / "images/red").rename(tmp_path / "images/cafe\u0301")
    model, _ = retrain_tiny(tmp_path)
    images = draw_colours(tmp_path / "new", 10, seed=7)
    (images / "red").rename(images / "caf\u00e9")
    assert "100.0% of N = 30" in run("evaluate", model, images).stdout


def test_evaluate_prints_the_accuracy_with_its_n_and_interval(tiny_model: str, tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "new", 10, seed=7)
    found = run("evaluate", tiny_model, images)
    assert "100.0% of N = 30 (95 % interval 88.6% – 100.0%)" in found.stdout
    (images / "red").rename(images / "crimson")
    refused = run("evaluate", tiny_model, images).stderr
    assert "labels that the model tiny 1 does not know: crimson; leave their images out" in refused


def test_evaluate_gives_every_figure_as_json_unknown_images_among_them(tiny_model: str, tmp_path: Path) -> None:
    images, others = draw_colours(tmp_path / "new", 10, seed=7), tmp_path / "others"
    others.mkdir()
    for shade in (0, 128, 255):
        Image.new("RGB", (60, 60), (shade, 255 - shade, 255)).save(others / f"{shade}.png")
    found = json.loads(run("evaluate", tiny_model, images, "--json", "--unknown-dir", others).stdout)
    assert found["per_class"]["red"]["recall"]["n"] == 10
    assert {"decisions", "calibration", "log_loss_interval", "unknown"} <= set(found)
    assert found["unknown"]["n"] == 3
    page = run("evaluate", tiny_model, images, "--unknown-dir", others).stdout
    assert "AUROC" in page
    assert "precision" in page


def test_a_gate_asks_for_the_lower_end_of_the_interval(tiny_model: str, tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "new", 10, seed=7)
    assert run("evaluate", tiny_model, images, "--assert-accuracy-at-least", "0.88").exit_code == 0
    refused = run("evaluate", tiny_model, images, "--assert-accuracy-at-least", "0.9")
    assert refused.exit_code == 1
    assert "at least 88.6% with 95 % confidence, by 30 images; 90.0% is asked" in refused.stderr


def with_labels_mixed_up(tiny_model: str, folder: Path) -> Path:
    """A store with the tiny model as version 1 and, as version 2, the same with its labels in another order."""
    store = LocalStore(folder / "store")
    place = resolve(tiny_model)
    manifest = place.manifest()
    directory = place.pull(manifest, list(manifest.files), folder)
    store.publish(directory, manifest)
    shutil.copytree(directory, folder / "mixed")
    mixed = manifest.labels[1:] + manifest.labels[:1]
    (folder / "mixed" / LABELS).write_text("".join(f"{label}\n" for label in mixed), encoding="utf-8")
    store.publish(folder / "mixed", replace(manifest, labels=mixed, files=describe_files(folder / "mixed")))
    return folder / "store"


def test_two_models_are_compared_image_by_image_and_the_worse_one_is_not_promoted(
    tiny_model: str, tmp_path: Path
) -> None:
    store, images = with_labels_mixed_up(tiny_model, tmp_path), draw_colours(tmp_path / "new", 10, seed=7)
    compared = run("compare", f"{store}/tiny/1", f"{store}/tiny/2", images)
    assert compared.exit_code == 0, compared.output
    assert "worse; 0 improved, 30 regressed" in compared.stdout
    assert "red/00.jpg" in compared.stdout
    assert json.loads(run("compare", f"{store}/tiny/1", f"{store}/tiny/1", images, "--json").stdout)["gain"] == 0
    assert run("promote", store, "tiny", 1, "--unless-worse", images).exit_code == 0  # nothing is served yet
    refused = run("promote", store, "tiny", 2, "--unless-worse", images)
    assert refused.exit_code == 1
    assert "worse" in refused.stderr
    assert "production stays where it is" in refused.stderr
    assert run("evaluate", f"{store}/tiny@production", images).stdout.startswith(
        f"{store}/tiny@production (litert): 100.0%"
    )
