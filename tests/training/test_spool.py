from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from training.spool import SHAPE, Spool


def image(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, SHAPE).astype(np.uint8)


def test_images_put_by_several_threads_come_back_as_they_were(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "new")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: spool.put(str(number), image(number)), range(20)))
    for number in range(20):
        found = spool.get(str(number))
        assert found is not None
        assert (found == image(number)).all()
    assert spool.get("another") is None


def test_nothing_stays_in_the_folder(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put("one", image(1))
    assert list(tmp_path.iterdir()) == []


def test_a_full_spool_takes_no_more_and_loses_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.spool.MAX_IMAGES", 2)
    spool = Spool(tmp_path)
    for number in range(3):
        spool.put(str(number), image(number))
    assert spool.get("1") is not None
    assert spool.get("2") is None
