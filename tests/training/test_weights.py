import shutil
from pathlib import Path

import h5py
import pytest

from training.errors import WeightsError
from training.weights import Weights, find_weights, inception_v3
from training.weights_file import named_by_content


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


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network as Keras 3 writes it, as Keras 2 did, and as a whole model of each."""
    import keras

    folder = tmp_path_factory.mktemp("networks")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save_weights(folder / "current.weights.h5")
    model.save(folder / "whole.keras")
    with h5py.File(folder / "legacy.h5", "w") as file:
        keras.src.legacy.saving.legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return folder


@pytest.mark.parametrize("kind", ["current.weights.h5", "whole.keras", "legacy.h5"])
@pytest.mark.parametrize("name", ["weights.h5", "x.weights.h5", "x.hdf5", "x.bin", "x"])
def test_weights_are_read_by_their_content_whatever_their_name(
    networks: Path, tmp_path: Path, kind: str, name: str
) -> None:
    import keras

    shutil.copy(networks / kind, tmp_path / name)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with named_by_content(tmp_path / name) as named:
        model.load_weights(named)
    expected = keras.models.load_model(networks / "whole.keras").get_weights()
    assert all((one == other).all() for one, other in zip(model.get_weights(), expected, strict=True))


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    import keras
    import numpy as np

    network = keras.applications.InceptionV3(weights=None, include_top=False, pooling="avg")
    broken = network.get_weights()
    broken[7][0] = np.nan
    network.set_weights(broken)
    network.save_weights(tmp_path / "broken.weights.h5")
    with pytest.raises(WeightsError, match=r"broken\.weights\.h5 holds NaN or infinite numbers"):
        inception_v3(Weights("broken", tmp_path / "broken.weights.h5", "0" * 64)).build()
