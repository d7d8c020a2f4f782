from pathlib import Path

import pytest

from tests.support.sets import Touch
from training.run import Run
from training.sources.listing import LabelsFrom, Reading


@pytest.fixture
def how(tmp_path: Path) -> Reading:
    return Reading(Run(), tmp_path / "cache")


@pytest.fixture
def leaf(tmp_path: Path) -> Reading:
    return Reading(Run(), tmp_path / "cache", LabelsFrom.LEAF)


@pytest.fixture
def photos(tmp_path: Path) -> Touch:
    return Touch(tmp_path / "photos")
