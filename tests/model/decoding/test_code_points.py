"""Colours that are named by numbers: what a picture of them means, coded by the standards' own formulas."""

import numpy as np
import pytest
from PIL import Image

from model.decoding.code_points import profile_in, profile_of
from model.decoding.srgb import is_srgb
from model.image import decode
from tests.model.decoding.hostile import chunk, encoded

LEVELS = np.add.outer(np.arange(64), 2 * np.arange(96)) * 255 // 253
PICTURE = np.stack([LEVELS, LEVELS[::-1], 255 - LEVELS], 2).astype(np.uint8)
TO_2020 = [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]  # from sRGB, of light
TO_P3 = [[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]]
SRGB, BT2020, P3 = np.eye(3), np.array(TO_2020), np.array(TO_P3)


def srgb(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def pq(light: np.ndarray) -> np.ndarray:
    power = (light * 203 / 10_000).clip(0, 1) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(light: np.ndarray) -> np.ndarray:
    scene = (light * 203 / 1_000).clip(0, 1) ** (1 / 1.2)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def linear(light: np.ndarray) -> np.ndarray:
    return light


CODED = [
    (1, 16, SRGB, pq),
    (9, 16, BT2020, pq),
    (12, 16, P3, pq),
    (9, 18, BT2020, hlg),
    (9, 14, BT2020, srgb),
    (12, 13, P3, srgb),
    (1, 8, SRGB, linear),
]


def coded(matrix: np.ndarray, transfer: object) -> Image.Image:
    signal = PICTURE / 255
    light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    return Image.fromarray((255 * transfer((light @ matrix.T).clip(0))).round().clip(0, 255).astype(np.uint8))


def difference(data: bytes) -> float:
    meant = decode(encoded(Image.fromarray(PICTURE), "PNG")).tensor.astype(int)
    return float(np.abs(decode(data).tensor - meant).mean())


def png_with(picture: Image.Image, *chunks: bytes) -> bytes:
    data = encoded(picture, "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def named_in_png(primaries: int, transfer: int, matrix: np.ndarray, code: object) -> bytes:
    return png_with(coded(matrix, code), chunk(b"cICP", bytes([primaries, transfer, 0, 1])))


def named_in_avif(primaries: int, transfer: int, matrix: np.ndarray, code: object) -> bytes:
    data = encoded(coded(matrix, code), "AVIF", quality=100, subsampling="4:4:4")
    at = data.index(b"colrnclx") + 8
    return data[:at] + bytes([0, primaries, 0, transfer]) + data[at + 4 :]


@pytest.mark.parametrize(("primaries", "transfer", "matrix", "code"), CODED)
def test_what_a_png_names_is_shown_as_srgb(primaries: int, transfer: int, matrix: np.ndarray, code: object) -> None:
    assert difference(named_in_png(primaries, transfer, matrix, code)) < 3


@pytest.mark.parametrize(("primaries", "transfer", "matrix", "code"), CODED)
def test_what_an_avif_names_is_shown_as_srgb(primaries: int, transfer: int, matrix: np.ndarray, code: object) -> None:
    assert difference(named_in_avif(primaries, transfer, matrix, code)) < 5


@pytest.mark.parametrize("primaries", [0, 1, 2, 5, 6, 300])
@pytest.mark.parametrize("transfer", [1, 2, 6, 13, 14, 300])
def test_what_looks_like_srgb_is_left_as_it_is(primaries: int, transfer: int) -> None:
    assert profile_of(primaries, transfer) is None


def test_no_other_profile_is_taken_for_srgbs() -> None:
    assert not any(is_srgb(profile_of(primaries, transfer) or b"") for primaries, transfer, _, _ in CODED)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_is_converted_with_or_without_alpha(mode: str) -> None:
    light = np.where(LEVELS <= 10, LEVELS / 255 / 12.92, ((LEVELS / 255 + 0.055) / 1.055) ** 2.4)
    grey = Image.fromarray((255 * pq(light)).round().astype(np.uint8))
    data = png_with(grey.convert(mode), chunk(b"cICP", bytes([1, 16, 0, 1])))
    meant = decode(encoded(Image.fromarray(LEVELS.astype(np.uint8)), "PNG")).tensor.astype(int)
    assert np.abs(decode(data).tensor - meant).mean() < 3


def test_code_points_of_a_png_that_are_broken_or_of_video_are_passed_over() -> None:
    picture = coded(BT2020, pq)
    points = bytes([9, 16, 0, 1])
    assert difference(png_with(picture, chunk(b"cICP", points), chunk(b"sRGB", b"\0"))) < 3
    plain = difference(encoded(picture, "PNG"))
    for other in (points[:3], bytes([9, 16, 0, 0]), bytes([9, 16, 9, 1])):
        assert difference(png_with(picture, chunk(b"cICP", other))) == plain > 10


def test_an_icc_profile_beside_them_is_the_decoders() -> None:
    points = b"nclx" + bytes([0, 9, 0, 16, 0, 9, 128])
    assert profile_in([points]) is not None
    assert profile_in([points, b"prof" + bytes(200)]) is None
    assert profile_in([b"nclx\0"]) is None
    assert profile_in([]) is None
