"""The command line as a whole: the mistakes and the names that any command may meet."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.commands import run
from tests.support.tiny import draw_colours


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
        (["sample", f"{__file__}/digits"], "Not a directory; try again, or name another place"),
        (["evaluate", "artifacts/x", "photos", "--unknown-dir", "nowhere"], "--unknown-dir nowhere is no folder"),
        (["retrain", "photos"], "--name"),
    ],
)
def test_a_users_mistake_is_one_sentence_and_no_traceback(arguments: list[str], says: str) -> None:
    found = run(*arguments)
    assert found.exit_code in {1, 2}
    assert says in found.stderr
    assert "Traceback" not in found.output


def test_the_command_that_the_readme_shows_runs_as_typed() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "training", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    for command in ("retrain", "check", "predict", "evaluate", "publish", "list", "prune", "sample"):
        assert command in found.stdout
