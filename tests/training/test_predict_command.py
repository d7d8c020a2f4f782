"""`predict`: what it takes and how it answers."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from model.manifest import MANIFEST
from tests.support.before import published_before
from tests.support.commands import photos_of, run
from training.cli import main


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
