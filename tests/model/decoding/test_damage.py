from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.image import damage_of, decode
from tests.model.decoding.hostile import encoded


def photo(seed: int = 0, mode: str = "RGB", **options) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (30, 40, 3), np.uint8)
    picture = Image.fromarray(noise).resize((400, 300), Image.Resampling.BICUBIC).convert(mode)
    return encoded(picture, "JPEG", **{"quality": 90} | options)


@pytest.mark.parametrize("size", [64, 512, 4096])
@pytest.mark.parametrize("place", [0.3, 0.5, 0.6])
@pytest.mark.parametrize(
    "data",
    [
        photo(),
        photo(subsampling=0),
        photo(mode="L"),
        photo(mode="CMYK"),
        photo(optimize=True),
        photo(restart_marker_rows=1),
    ],
)
def test_a_hole_of_zeros_is_damage_though_it_decodes(data: bytes, place: float, size: int) -> None:
    start = int(len(data) * place)
    holed = data[:start] + bytes(size) + data[start + size :]
    assert decode(holed).format == "JPEG"
    assert damage_of(holed)


@pytest.mark.parametrize("colour", ["white", "black", "orange"])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_flat_picture_whose_code_is_zeros_is_not_damaged(mode: str, colour: str) -> None:
    flat = encoded(Image.new("RGB", (3000, 2000), colour).convert(mode), "JPEG", optimize=True)
    assert damage_of(flat) is None


def test_a_few_bytes_between_segments_do_not_hide_what_is_lost_behind_them() -> None:
    data = photo()
    tables = data.index(b"\xff\xdb")
    assert damage_of(data[:tables] + b"\r" + data[tables:]) is None
    as_text = data.replace(b"\n", b"\r\n")
    assert decode(as_text).format == "JPEG"
    assert damage_of(as_text)


def test_bytes_that_are_left_before_a_restart_are_damage() -> None:
    data = photo(restart_marker_rows=1)
    restart = data.index(b"\xff\xd3")
    left = data[:restart] + data[restart - 40 : restart] + data[restart:]
    assert "before marker 0xd3" in str(damage_of(left))


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


def test_a_baseline_jpeg_whose_scan_names_no_coefficients_is_whole() -> None:
    data = bytearray(photo())
    at = data.index(b"\xff\xda") + 5 + 2 * 3
    assert data[at : at + 3] == bytes([0, 63, 0])
    data[at + 1] = 0  # some cameras leave it so, and libjpeg does not look at it
    assert damage_of(bytes(data)) is None
    assert (decode(bytes(data[:-2])).tensor == decode(photo()).tensor).all()


def test_real_photos_are_not_called_damaged(shared_data: Path) -> None:
    photos = sorted(shared_data.glob("flower_photos/*/*.jpg"))[::10]
    assert [path.name for path in photos if damage_of(path.read_bytes())] == []


def test_the_damaged_case_of_training_is_found(training_cases: Path) -> None:
    assert damage_of((training_cases / "zero_hole.jpg").read_bytes()) == "premature end of data segment"
    assert damage_of((training_cases / "no_eoi.jpg").read_bytes()) is None
