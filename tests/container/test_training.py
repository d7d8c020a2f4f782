"""The offline package in a container, for people who do not want TensorFlow on their machine."""

import os
from pathlib import Path

import pytest

from tests.tiny import draw_colours


@pytest.fixture(scope="module")
def training(engine, build, tiny_model, tmp_path_factory):
    """Run a command of the package in a folder that holds images and models, as the user whose folder it is."""
    work = draw_colours(tmp_path_factory.mktemp("work") / "photos", per_class=20).parent
    (work / "model").mkdir()  # of the user's own, with a name that is also a package's
    limits = ["--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--user", str(os.getuid())]
    mounts = ["--volume", f"{work}:/work", "--volume", f"{Path(tiny_model).parent}:/store:ro"]

    def training(*command, check=True):
        return engine.run("run", "--rm", *limits, *mounts, build("--target", "training"), *command, check=check)

    return training


def test_it_checks_images(training):
    assert "60" in training("check", "photos").stdout


def test_it_names_images(training):
    assert "red" in training("predict", "/store/tiny", "photos/red/00.jpg").stdout


def test_it_teaches_its_options(training):
    assert "--bottleneck-dir" in training("retrain", "--help").stdout
