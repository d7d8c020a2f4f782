"""`check`: what it prints, what it writes, and when it fails."""

import json
from pathlib import Path

from tests.support.commands import run
from tests.support.tiny import draw_colours


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
