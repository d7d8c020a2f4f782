"""JPEG 2000 of other depths than 8 bits, and with a profile."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from model.errors import UnsupportedImage
from model.image import decode
from tests.model.decoding.hostile import box, encoded


def of_depth(picture: Image.Image, depth: int) -> bytes:
    """A lossless JPEG 2000 whose header states another depth than it was coded with; half of the range stays half."""
    data = bytearray(encoded(picture, "JPEG2000"))
    at = data.index(b"\xff\x4f\xff\x51") + 40
    components = int.from_bytes(data[at : at + 2])
    data[at + 2 : at + 2 + 3 * components : 3] = bytes([depth - 1]) * components
    data[data.index(b"ihdr") + 14] = depth - 1
    return bytes(data)


@pytest.mark.parametrize("depth", [9, 10, 12, 16])
def test_white_of_more_than_8_bits_is_white(depth: int) -> None:
    white = 2**15 - 2 ** (depth - 1) + 2**depth - 1
    grey = Image.fromarray(np.full((64, 64), white, np.uint16))
    assert (decode(of_depth(grey, depth)).tensor == 255).all()


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_white_of_fewer_than_8_bits_is_white(depth: int, mode: str) -> None:
    levels = np.full((64, 64), 128 - 2 ** (depth - 1) + 2**depth - 1, np.uint8)
    levels[:, 32:] -= 2**depth - 1
    found = decode(of_depth(Image.fromarray(levels).convert(mode), depth)).tensor
    assert (found[:, :140] == 255).all()
    assert (found[:, 160:] == 0).all()


@pytest.mark.parametrize("depth", [9, 10, 12, 16])
@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA"])
def test_colours_of_more_than_8_bits_are_refused_by_name(depth: int, mode: str) -> None:
    with pytest.raises(UnsupportedImage, match=f"colours of {depth} bits, which are not read: save it"):
        decode(of_depth(Image.new(mode, (64, 64), "white"), depth))


def with_colour(picture: Image.Image, colour: bytes) -> bytes:
    """The same JP2 with another colour specification box."""
    data = encoded(picture, "JPEG2000")
    old, header = data.index(b"colr") - 4, data.index(b"jp2h") - 4
    end = old + int.from_bytes(data[old : old + 4])
    boxes = (
        data[header + 8 : old] + box(b"colr", colour) + data[end : header + int.from_bytes(data[header : header + 4])]
    )
    return data[:header] + box(b"jp2h", boxes) + data[header + int.from_bytes(data[header : header + 4]) :]


def test_the_profile_of_a_jp2_is_applied() -> None:
    gamma = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    twisted = swapped_primaries(gamma)
    data = with_colour(Image.new("RGB", (64, 64), (250, 0, 0)), b"\2\0\0" + twisted)
    assert decode(data).tensor[9, 9, 1] > 200  # its red is green


def swapped_primaries(profile: bytes) -> bytes:
    """The same profile, in which red is green, and green red."""
    return profile.replace(b"rXYZ", b"!").replace(b"gXYZ", b"rXYZ").replace(b"!", b"gXYZ")


def test_cielab_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedImage, match="CIELab"):
        decode(with_colour(Image.new("RGB", (64, 64)), b"\1\0\0" + struct.pack(">I", 14)))
