from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.image import damage_of, decode
from tests.model.decoding.hostile import encoded


def photo(seed: int = 0) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (30, 40, 3), np.uint8)
    return encoded(Image.fromarray(noise).resize((400, 300), Image.Resampling.BICUBIC), "JPEG", quality=90)


@pytest.mark.parametrize("size", [512, 4096])
def test_a_hole_of_zeros_is_damage_though_it_decodes(size: int) -> None:
    data = photo()
    middle = len(data) // 2
    holed = data[:middle] + bytes(size) + data[middle + size :]
    assert decode(holed).format == "JPEG"
    assert damage_of(holed)


def test_zeros_instead_of_the_last_half_are_damage() -> None:
    data = photo()
    half = data[: len(data) // 2]
    assert damage_of(half + bytes(len(half)))
    assert damage_of(half + bytes(len(half)) + b"\xff\xd9")


def test_another_photos_second_half_is_damage() -> None:
    first, second = photo(1), photo(2)
    assert "extraneous bytes" in str(damage_of(first[: len(first) // 3] + second[len(second) // 3 :]))


@pytest.mark.parametrize(
    "data",
    [
        photo(),
        photo()[:-2],
        photo()[:-1],
        photo() + bytes(1000),
        photo()[:-2] + bytes(1000),
        photo()[:-2] + bytes(5) + b"\xff\xd9",
        encoded(Image.new("CMYK", (64, 64)), "JPEG"),
        encoded(Image.new("RGB", (64, 64)), "PNG"),
    ],
)
def test_what_only_looks_odd_is_none(data: bytes) -> None:
    assert damage_of(data) is None


def test_real_photos_are_not_called_damaged(shared_data: Path) -> None:
    photos = sorted(shared_data.glob("flower_photos/*/*.jpg"))[::10]
    assert [path.name for path in photos if damage_of(path.read_bytes())] == []


def test_the_damaged_case_of_training_is_found(training_cases: Path) -> None:
    assert damage_of((training_cases / "zero_hole.jpg").read_bytes()) == "premature end of data segment"
    assert damage_of((training_cases / "no_eoi.jpg").read_bytes()) is None
