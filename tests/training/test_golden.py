"""Copies of the user's own photos travel inside a model: which, and with what of them."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.image import Limits, decode
from training.dataset import Example
from training.golden import choose_golden, copies_of, tensors_of


def example(name: str, label: str) -> Example:
    return Example(Path(name), label, name, name)


def scores(*first: float) -> np.ndarray:
    return np.array(first, np.float32)


def test_the_least_certain_of_different_labels_are_chosen() -> None:
    found = {
        example("sure", "a"): scores(0.9, 0.1),
        example("unsure", "a"): scores(0.5, 0.5),
        example("less sure", "a"): scores(0.6, 0.4),
        example("b", "b"): scores(0.8, 0.2),
        example("c", "c"): scores(0.7, 0.3),
        example("d", "d"): scores(0.99, 0.01),
    }
    assert [chosen.path.name for chosen in choose_golden(found)] == ["unsure", "c", "b"]


def photograph(folder: Path, size: tuple[int, int], **metadata: object) -> Example:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    path = folder / "photo.jpg"
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(path, quality=95, **metadata)
    return example(str(path), "a")


def test_a_copy_holds_no_metadata_and_is_no_larger_than_320_px(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    [copy] = copies_of([photograph(tmp_path, (1600, 1200), exif=exif, comment=b"by me")], Limits())
    opened = Image.open(BytesIO(copy))
    assert (opened.format, opened.size) == ("JPEG", (320, 240))
    assert not {"exif", "comment", "icc_profile", "xmp"} & set(opened.info)
    assert b"home" not in copy
    assert b"by me" not in copy


@pytest.mark.parametrize("size", [(1600, 1200), (300, 500), (40, 40)])
def test_a_copy_is_to_the_model_nearly_what_the_picture_was(tmp_path: Path, size: tuple[int, int]) -> None:
    original = photograph(tmp_path, size)
    before = decode(original.path.read_bytes())
    [tensor] = tensors_of(copies_of([original], Limits()))
    assert np.abs(tensor.astype(int) - before.tensor).mean() < 5


def test_a_narrow_picture_stays_one_that_can_be_read(tmp_path: Path) -> None:
    [copy] = copies_of([photograph(tmp_path, (3000, 20))], Limits())
    assert Image.open(BytesIO(copy)).size == (320, 16)


def test_no_images_give_no_copies() -> None:
    assert tensors_of(copies_of(choose_golden({}), Limits())).shape == (0, 299, 299, 3)
