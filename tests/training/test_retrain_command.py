"""`retrain`: retrain.py's options, and the real thing."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.commands import run
from training.cli import main

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
