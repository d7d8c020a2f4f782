from pathlib import Path

import pytest

from training.errors import WeightsError
from training.weights import Weights, find_weights, inception_v3


def test_a_machine_without_internet_is_told_the_two_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.weights.IMAGENET", "http://127.0.0.1:9/weights.h5")
    with pytest.raises(WeightsError, match=r"pass --weights PATH, or pass --weights random"):
        find_weights("imagenet", tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere\.h5: no such file"):
        find_weights("nowhere.h5", tmp_path)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.h5").write_bytes(b"not weights")
    with pytest.raises(WeightsError, match=r"other\.h5 does not hold the weights"):
        inception_v3(Weights("other.h5", tmp_path / "other.h5", "0" * 64)).build()


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "one.h5").write_bytes(b"weights")
    (tmp_path / "two.h5").write_bytes(b"weights")
    assert (
        find_weights(str(tmp_path / "one.h5"), tmp_path).sha256
        == find_weights(str(tmp_path / "two.h5"), tmp_path).sha256
    )
