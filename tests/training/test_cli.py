import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from model.manifest import LABELS, MANIFEST, describe_files
from model.stores.local import LocalStore
from model.stores.uri import resolve
from tests import ROOT
from tests.support.before import published_before
from tests.support.tiny import draw_colours, retrain_tiny
from training.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def photos_of(tiny_model: str) -> Path:
    return Path(tiny_model).parents[1] / "images"


def test_check_prints_a_table_writes_json_and_fails_on_errors(tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "images", 60)
    report = tmp_path / "report.json"
    sound = run("check", images, "--report", report)
    assert sound.exit_code == 0, sound.output
    assert "180 images of 3 labels; 0 errors, 0 warnings, 0 notes" in sound.output
    (images / "red" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    broken = run("check", images, "--report", report)
    assert broken.exit_code == 1
    assert "corrupt" in broken.output
    found = json.loads(report.read_text())
    assert found["images"] == {"blue": 60, "green": 60, "red": 60}
    assert [(problem["severity"], problem["path"]) for problem in found["problems"]] == [("error", "red/broken.jpg")]


def test_check_tells_what_would_stop_a_training(tmp_path: Path) -> None:
    found = run("check", draw_colours(tmp_path / "images", 1), "--report", tmp_path / "report.json")
    assert found.exit_code == 1
    assert "add images to the class" in found.stderr
    assert "3 images of 3 labels" in found.stdout


def test_check_counts_one_and_many(tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "images", 60)
    (images / "red" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    (images / "red" / "notes.txt").write_text("x")
    found = run("check", images, "--report", tmp_path / "report.json")
    assert "180 images of 3 labels; 1 error, 0 warnings, 1 note" in found.stdout


def test_check_prints_what_it_found_where_its_json_cannot_be_written(tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "images", 60)
    found = run("check", images, "--report", tmp_path / "no such folder" / "report.json")
    assert found.exit_code == 1
    assert "180 images of 3 labels" in found.stdout
    assert "--report names another place" in found.stderr


def test_check_says_the_layout_that_it_understood(tmp_path: Path) -> None:
    for part in ("train", "test"):
        draw_colours(tmp_path / "images" / part, 30, seed=len(part))
    found = run("check", tmp_path / "images", "--report", tmp_path / "report.json")
    assert "divided by its folders" in found.stdout
    assert "divided by its folders" in json.loads((tmp_path / "report.json").read_text())["layout"]


@pytest.mark.parametrize("encoding", ["cp850", "ascii", "utf-8"])
def test_no_name_and_no_terminal_makes_a_traceback(tmp_path: Path, encoding: str) -> None:
    images = draw_colours(tmp_path / "images", 60)
    for name in ("گل\u200cسرخ", os.fsdecode(b"caf\xe9"), "a\nb"):
        shutil.copytree(images / "red", images / name)
    command = [sys.executable, "-m", "training", "check", str(images), "--report", str(tmp_path / "report.json")]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    found = subprocess.run(command, check=False, capture_output=True, cwd=ROOT, env=environment)
    assert found.returncode == 1
    assert b"Traceback" not in found.stderr
    assert b"conflict" in found.stdout
    json.loads((tmp_path / "report.json").read_text())


def test_predict_takes_folders_patterns_and_standard_input(tiny_model: str) -> None:
    red = photos_of(tiny_model) / "red"
    one, two = red / "00.jpg", red / "01.jpg"
    folder = run("predict", tiny_model, red)
    assert len(folder.stdout.splitlines()) == 40
    assert len(run("predict", tiny_model, f"{red}/0*.jpg").stdout.splitlines()) == 10
    listed = CliRunner().invoke(main, ["predict", tiny_model, "-"], input=f"{one}\n{two}\n")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [str(one), str(two)]
    piped = CliRunner().invoke(main, ["predict", tiny_model, "-"], input=one.read_bytes())
    assert piped.stdout.startswith("(standard input)  red ")


def test_predict_writes_a_table(tiny_model: str) -> None:
    one = photos_of(tiny_model) / "red" / "00.jpg"
    rows = list(csv.reader(run("predict", tiny_model, one, "--csv", "--top-k", 3).stdout.splitlines()))
    assert rows[0] == ["image", "label", "score", "decision"]
    assert [row[0] for row in rows[1:]] == [str(one)] * 3
    assert rows[1][1] == "red"


def test_predict_names_nothing_below_the_least_score(tiny_model: str) -> None:
    one = photos_of(tiny_model) / "red" / "00.jpg"
    assert run("predict", tiny_model, one, "--min-score", "1").stdout == f"{one}  no label\n"
    assert json.loads(run("predict", tiny_model, one, "--json", "--min-score", "1").stdout)["labels"] == []
    assert run("predict", tiny_model, one, "--csv", "--min-score", "1").stdout.endswith(f"{one},,,accepted\n")


def judged_by(tiny_model: str, folder: Path, **thresholds: Any) -> str:
    """The tiny model with these thresholds; others accept every answer."""
    shutil.copytree(tiny_model, folder / "judged")
    path = folder / "judged" / "1" / MANIFEST
    manifest = json.loads(path.read_text())
    lenient = {"precision": 0.95, "labels": [0.0] * 3, "distance": 9.0, "false_alarms": 0.05}
    path.write_text(json.dumps(manifest | {"name": "judged", "thresholds": lenient | thresholds}))
    return str(folder / "judged")


@pytest.mark.parametrize(
    ("thresholds", "decision", "text"),
    [
        ({}, "accepted", "{}"),
        ({"labels": [None] * 3}, "uncertain", "{} (uncertain)"),
        ({"distance": 0.0}, "unknown", "nothing it was taught ({})"),
    ],
)
def test_predict_says_whether_an_answer_may_be_relied_on(
    tiny_model: str, tmp_path: Path, thresholds: dict[str, Any], decision: str, text: str
) -> None:
    model, one = judged_by(tiny_model, tmp_path, **thresholds), photos_of(tiny_model) / "red" / "00.jpg"
    name, _, answer = run("predict", tiny_model, one).stdout.strip().partition("  ")
    assert run("predict", model, one).stdout == f"{name}  {text.format(answer)}\n"
    assert json.loads(run("predict", model, one, "--json").stdout)["decision"] == decision
    header, row = csv.reader(run("predict", model, one, "--csv").stdout.splitlines())
    assert (header[-1], row[-1]) == ("decision", decision)


def test_predict_draws_where_the_first_label_comes_from(tiny_model: str, tmp_path: Path) -> None:
    photos = [photos_of(tiny_model) / label / "00.jpg" for label in ("red", "blue")]
    assert run("predict", tiny_model, *photos, "--explain", tmp_path / "why" / "now").exit_code == 0
    drawn = sorted((tmp_path / "why" / "now").iterdir())
    assert [path.name for path in drawn] == ["1-00.png", "2-00.png"]
    for path in drawn:
        with Image.open(path) as picture:
            assert (picture.size, picture.format) == ((320, 240), "PNG")


def test_predict_says_that_an_older_model_cannot_be_explained(tiny_model: str, tmp_path: Path) -> None:
    older, one = published_before(tiny_model, tmp_path), photos_of(tiny_model) / "red" / "00.jpg"
    found = run("predict", older, one, "--explain", tmp_path / "why")
    assert found.exit_code == 1
    assert "retrain it, or leave --explain out" in found.stderr
    assert run("predict", older, one).stdout == run("predict", tiny_model, one).stdout


def test_predict_says_where_there_is_nothing(tiny_model: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = run("predict", tiny_model, tmp_path / "empty")
    assert (found.exit_code, found.stdout) == (1, "")
    assert "no images there" in found.stderr


def test_prune_leaves_the_newest(tiny_model: str, tmp_path: Path) -> None:
    for _ in range(3):
        run("publish", tiny_model, tmp_path / "second")
    found = run("prune", tmp_path / "second", "tiny", "--keep", "1")
    assert "removed 1, 2; left 3" in found.stdout
    assert "no model 'other'" in run("prune", tmp_path / "second", "other").stderr


def test_labels_are_compared_in_one_unicode_form(tmp_path: Path) -> None:
    draw_colours(tmp_path / "images")
    (tmp_path / "images/red").rename(tmp_path / "images/cafe\u0301")
    model, _ = retrain_tiny(tmp_path)
    images = draw_colours(tmp_path / "new", 10, seed=7)
    (images / "red").rename(images / "caf\u00e9")
    assert "100.0% of N = 30" in run("evaluate", model, images).stdout


def test_predict_prints_one_label_per_image(tiny_model: str) -> None:
    paths = [photos_of(tiny_model) / label / "00.jpg" for label in ("red", "blue")]
    found = run("predict", tiny_model, *paths)
    assert found.exit_code == 0, found.output
    assert [line.split()[1] for line in found.stdout.splitlines()] == ["red", "blue"]


def test_predict_gives_json_with_as_many_labels_as_asked(tiny_model: str) -> None:
    found = run("predict", tiny_model, photos_of(tiny_model) / "red" / "00.jpg", "--json", "--top-k", 2)
    labels = json.loads(found.stdout)["labels"]
    assert len(labels) == 2
    assert labels[0]["name"] == "red"
    assert labels[0]["score"] > labels[1]["score"]


def test_predict_goes_on_after_a_file_that_cannot_be_read(tiny_model: str, tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_text("<html>")
    good = photos_of(tiny_model) / "red" / "00.jpg"
    found = run("predict", tiny_model, tmp_path / "page.jpg", tmp_path / "missing.jpg", good)
    assert found.exit_code == 1
    assert "red" in found.stdout
    assert "page.jpg: not an image" in found.stderr
    assert "missing.jpg" in found.stderr


def test_evaluate_prints_the_accuracy_with_its_n_and_interval(tiny_model: str, tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "new", 10, seed=7)
    found = run("evaluate", tiny_model, images)
    assert "100.0% of N = 30 (95 % interval 88.6% – 100.0%)" in found.stdout
    (images / "red").rename(images / "crimson")
    assert "labels that the model does not know: crimson" in run("evaluate", tiny_model, images).stderr


def test_list_shows_each_version_with_its_figures(tiny_model: str) -> None:
    found = run("list", Path(tiny_model).parent)
    assert found.exit_code == 0, found.output
    assert "tiny" in found.stdout
    assert "int8" in found.stdout
    assert "%" in found.stdout


def test_publish_copies_a_version_to_another_store(tiny_model: str, tmp_path: Path) -> None:
    found = run("publish", tiny_model, tmp_path / "second")
    assert found.exit_code == 0, found.output
    assert (tmp_path / "second/tiny/1/saved_model.pb").exists()
    assert "second/tiny/1" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["predict", "nowhere/flowers", "x.jpg"], "no model 'flowers' in nowhere"),
        (["check", "nowhere"], "nowhere is not a folder"),
        (["retrain", "nowhere", "--name", "x", "--weights", "none.h5"], "none.h5: no such file"),
        (["retrain", "--name", "x"], "Name the folder of images once"),
        (["retrain", "photos", "--image_dir", "photos", "--name", "x"], "Name the folder of images once"),
        (["retrain", "photos", "--name", "x", "--testing_percentage", "95"], "leave no sound split"),
        (["retrain", "photos", "--name", "x", "--train_batch_size", "100"], "No such option"),
        (["retrain", "photos", "--name", "x", "--train_batch_size", "100"], "all features at once"),
        (["retrain", "photos", "--name", "x", "--output_graph=/tmp/graph.pb"], "published to --store as a SavedModel"),
        (["retrain", "photos", "--name", "x", "--unheard_of", "100"], "No such option"),
        (["retrain", "photos", "--name", "x", "--learning_rate", "0.01"], "belongs to fine-tuning"),
        (["retrain", "photos", "--name", "x", "--flip_left_right"], "belongs to fine-tuning"),
        (["predict", "artifacts/x", "x.jpg", "--min-score", "2"], "--min-score"),
        (["retrain", "photos"], "--name"),
    ],
)
def test_a_users_mistake_is_one_sentence_and_no_traceback(arguments: list[str], says: str) -> None:
    found = run(*arguments)
    assert found.exit_code in {1, 2}
    assert says in found.stderr
    assert "Traceback" not in found.output


RETRAIN_PY = [
    "image_dir",
    "output_graph",
    "intermediate_output_graphs_dir",
    "intermediate_store_frequency",
    "output_labels",
    "summaries_dir",
    "how_many_training_steps",
    "learning_rate",
    "testing_percentage",
    "validation_percentage",
    "eval_step_interval",
    "train_batch_size",
    "test_batch_size",
    "validation_batch_size",
    "print_misclassified_test_images",
    "bottleneck_dir",
    "final_tensor_name",
    "flip_left_right",
    "random_crop",
    "random_scale",
    "random_brightness",
    "tfhub_module",
    "saved_model_dir",
    "logging_verbosity",
    "checkpoint_path",
    "model_dir",
    "architecture",
]


@pytest.mark.parametrize("option", RETRAIN_PY)
def test_every_option_of_retrain_py_is_taken_or_told_what_to_use_instead(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where one option's value becomes a folder
    taken = {name for parameter in main.commands["retrain"].params for name in parameter.opts}
    found = run("retrain", "photos", "--name", "x", f"--{option}", "1")
    name = f"--{option}".replace("_", "-")
    assert (name in taken) != (
        f"No such option: --{option}. " in found.stderr or f"No such option: {name}. " in found.stderr
    )


def test_the_command_that_the_readme_shows_runs_as_typed() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "training", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    for command in ("retrain", "check", "predict", "evaluate", "publish", "list", "prune", "sample"):
        assert command in found.stdout


def test_the_real_thing_reaches_its_accuracy_and_the_second_run_reuses_every_feature(
    shared_data: Path, tmp_path: Path
) -> None:
    """1,500 flower photos through the real Inception v3: what README promises, by the command that README shows."""
    command = [
        sys.executable,
        "-m",
        "training",
        "retrain",
        f"--image_dir={shared_data / 'flower_photos'}",
        "--name=flowers",
    ]
    command += [f"--store={tmp_path / 'store'}", f"--bottleneck_dir={tmp_path / 'bottlenecks'}"]
    command += [f"--weights={shared_data / 'inception_v3.weights.h5'}", "--print_misclassified_test_images"]
    command += [f"--report-dir={tmp_path / 'runs'}"]
    outputs = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout for _ in range(2)]
    assert "1,498 features: 0 from the cache" in outputs[0]
    assert "1,498 features: 1,498 from the cache" in outputs[1]
    manifest = json.loads((tmp_path / "store/flowers/2/assets.extra/manifest.json").read_text())
    first = json.loads((tmp_path / "store/flowers/1/assets.extra/manifest.json").read_text())
    assert manifest["metrics"] == first["metrics"]
    assert manifest["metrics"]["litert"]["n"] == 231  # of 1,498; near-duplicates stay on one side of the split
    assert manifest["metrics"]["litert"]["accuracy"] > 0.86  # 88 % on average over splits, ± 2 points for a single one
    assert manifest["parity"]["compiled"]["precision"] == "int8"
    assert manifest["parity"]["compiled"]["top1_agreement"] >= 0.95
    assert outputs[0].count(".jpg") >= 10  # the misclassified ones, by name
    assert outputs[1].rstrip().endswith(f"report      {tmp_path / 'runs/flowers-2/report.html'}")
    assert (tmp_path / "runs/flowers-2/report.html").read_text().count('class="heat"') >= 10  # and where they come from
    shutil.rmtree(tmp_path)


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
