"""`retrain`: the options of retrain.py."""

from pathlib import Path

import pytest

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
