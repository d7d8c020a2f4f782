"""PNGs of which Pillow keeps less than there is: 16 bits, and what is transparent."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from model.decoding.header import read_header
from model.decoding.limits import Limits
from model.decoding.png import MOST_SIXTEEN
from model.image import decode
from tests.model.decoding.hostile import chunk, encoded, png

LEVELS = np.add.outer(np.arange(64), np.arange(96)) % 32 * 255 / 31
COLOURS = np.stack([LEVELS, LEVELS[::-1], 255 - LEVELS], 2)
GREY, RGB, GREY_ALPHA, RGB_ALPHA = 0, 2, 4, 6
PASSES = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]  # Adam7


def written(samples: np.ndarray, colour: int, extra: bytes = b"", *, depth: int = 16, interlaced: int = 0) -> bytes:
    """A PNG of these samples (height, width[, bands]), each row without a filter."""
    height, width = samples.shape[:2]
    parts = [samples[y::down, x::across] for y, x, down, across in PASSES] if interlaced else [samples]
    rows = (row for part in parts if part.size for row in part)
    return png(
        width,
        height,
        depth,
        colour,
        zlib.compress(b"".join(b"\0" + _row(row, depth) for row in rows)),
        extra,
        interlaced,
    )


def _row(row: np.ndarray, depth: int) -> bytes:
    if depth < 8:
        bits = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, -depth:]
        return np.packbits(bits.ravel()).tobytes()
    return row.astype(f">u{depth // 8}").tobytes()


def difference(data: bytes, meant: np.ndarray) -> float:
    picture = Image.fromarray(meant.round().astype(np.uint8))
    return float(np.abs(decode(data).tensor.astype(int) - decode(encoded(picture, "PNG")).tensor).mean())


@pytest.mark.parametrize("interlaced", [0, 1])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("opacity", [None, 1, 0.5])
@pytest.mark.parametrize("coloured", [True, False])
def test_fewer_bits_than_sixteen_are_read_with_their_alpha(
    coloured: bool, opacity: float | None, bits: int, interlaced: int
) -> None:
    levels = COLOURS if coloured else LEVELS[..., None]
    parts = levels / 255
    meant = levels if coloured else np.repeat(levels, 3, 2)
    if opacity is not None:
        parts = np.concatenate([parts, np.full((64, 96, 1), opacity)], 2)
        meant = meant * opacity + 255 * (1 - opacity)
    colour = (RGB if coloured else GREY) + (4 if opacity is not None else 0)
    samples = (parts * (2**bits - 1)).round()
    assert difference(written(samples, colour, interlaced=interlaced), meant) < 2


def test_black_of_sixteen_bits_is_black() -> None:
    assert (decode(written(np.zeros((64, 96, 3)), RGB)).tensor == 0).all()


def test_dark_colours_under_an_alpha_of_sixteen_bits_leave_it_as_it_is() -> None:
    samples = np.concatenate([COLOURS * 8, np.full((64, 96, 1), 65535)], 2)
    assert difference(written(samples, RGB_ALPHA), COLOURS) < 2


@pytest.mark.parametrize("bits", [12, 16])
def test_a_transparent_value_of_sixteen_bits_is_white(bits: int) -> None:
    grey = (LEVELS / 255 * (2**bits - 1)).round().astype(int)
    colours = (COLOURS / 255 * (2**bits - 1)).round().astype(int)
    key = grey[0, 3]
    shown = np.where(grey == key, 255, LEVELS)
    assert difference(written(grey, GREY, chunk(b"tRNS", struct.pack(">H", key))), shown) < 2
    keys = colours[30, 40]
    seen = np.where((colours == keys).all(2, keepdims=True), 255, COLOURS)
    assert difference(written(colours, RGB, chunk(b"tRNS", struct.pack(">3H", *keys))), seen) < 2
    near = chunk(b"tRNS", struct.pack(">3H", *(keys ^ 1)))  # the same upper eight bits
    assert difference(written(colours, RGB, near), COLOURS) < 2


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_transparent_grey_of_fewer_bits_is_white(depth: int) -> None:
    samples = np.arange(64 * 96).reshape(64, 96) // 8 % 2**depth
    key = 2**depth - 2
    meant = np.where(samples == key, 255, samples * 255 / (2**depth - 1))
    assert difference(written(samples, GREY, chunk(b"tRNS", struct.pack(">H", key)), depth=depth), meant) < 1


def test_more_alphas_than_colours_are_passed_over() -> None:
    samples = np.arange(64 * 96).reshape(64, 96) // 8 % 4
    palette = chunk(b"PLTE", bytes([10, 20, 30, 90, 80, 70, 200, 210, 220, 7, 7, 7]))
    alphas = bytes([255, 0, 255, 255])
    data = [written(samples, 3, palette + chunk(b"tRNS", alphas + more), depth=4) for more in (b"", bytes(9))]
    assert (decode(data[0]).tensor == decode(data[1]).tensor).all()


def test_large_pictures_of_sixteen_bits_run_in_a_process_of_their_own() -> None:
    side = int(MOST_SIXTEEN**0.5)

    def alone(depth: int, side: int) -> bool:
        return read_header("PNG", png(side, side, depth, RGB, b""), Limits()).alone

    assert [alone(16, side), alone(16, side + 1), alone(8, side + 1)] == [False, True, False]
