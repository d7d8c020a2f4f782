"""Whether a fourth channel means anything: some writers leave it at zero, some say that it is none."""

import struct

import pytest
from PIL import Image

from model.image import decode
from tests.model.decoding.hostile import encoded

PICTURE = Image.linear_gradient("L").resize((96, 64)).convert("RGB")


def test_alpha_that_is_zero_everywhere_is_unused_where_writers_leave_it_so() -> None:
    picture = PICTURE.convert("RGBA")
    picture.putalpha(0)
    data = encoded(PICTURE.convert("RGBA"), "TGA")
    pixels = bytearray(data)
    pixels[21 : 18 + 96 * 64 * 4 : 4] = bytes(96 * 64)
    assert (decode(bytes(pixels)).tensor == decode(encoded(PICTURE, "PNG")).tensor).all()
    assert (decode(encoded(picture, "PNG")).tensor == 255).all()


@pytest.mark.parametrize("rle", [False, True])
def test_alpha_of_a_tga_is_none_where_its_descriptor_states_none(rle: bool) -> None:
    picture = PICTURE.convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize((96, 64)))
    data = bytearray(encoded(picture, "TGA", compression="tga_rle" if rle else None))
    shown = decode(bytes(data)).tensor
    data[17] &= 0xF0
    assert (decode(bytes(data)).tensor == decode(encoded(PICTURE, "PNG")).tensor).all()
    assert (shown != decode(bytes(data)).tensor).any()


def test_alpha_that_is_zero_everywhere_in_a_palette_is_unused() -> None:
    colours = bytes(value for level in range(256) for value in (level, 255 - level, 7, 0))  # BGRA
    indices = bytes(range(96)) * 64
    data = struct.pack("<BBBHHBHHHHBB", 0, 1, 1, 0, 256, 32, 0, 0, 96, 64, 8, 0x20) + colours + indices
    meant = Image.frombytes("RGB", (96, 64), bytes(value for level in indices for value in (7, 255 - level, level)))
    assert (decode(data).tensor == decode(encoded(meant, "PNG")).tensor).all()
