"""Netpbm: comments anywhere in the header, samples of any depth, and nothing that Pillow decodes in Python."""

import time

import numpy as np
import pytest
from PIL import Image

from model.decoding import pnm
from model.errors import CorruptImage
from model.image import decode
from tests.model.decoding.hostile import encoded

GREY = Image.linear_gradient("L").resize((96, 64))
LEVELS = np.asarray(GREY).astype(int)


@pytest.mark.parametrize(
    "header",
    [
        b"P5\n# 255\n96 64\n254\n",
        b"P5 96 # 65535\n64\n254\n",
        b"P5#255\n96#255\n64#255\n254\n",
        b"P5\r# 255\r96 64\r254\r",
        b"P5\n#" + b"255 " * 2000 + b"\n96 64 254\n",
    ],
)
def test_comments_stand_anywhere_in_a_header(header: bytes) -> None:
    found = decode(header + (LEVELS * 254 // 255).astype(np.uint8).tobytes()).tensor.astype(int)
    assert np.abs(found - decode(encoded(GREY, "PNG")).tensor).mean() < 1


@pytest.mark.parametrize("kind", [b"P5", b"P6"])
@pytest.mark.parametrize("depth", [254, 4095, 65535])
@pytest.mark.parametrize("shape", [(255, 8000), (1600, 1300)])
def test_no_depth_is_scaled_in_python(kind: bytes, depth: int, shape: tuple[int, int]) -> None:
    samples = 3 if kind == b"P6" else 1
    pixels = bytes(shape[0] * shape[1] * samples * (2 if depth > 255 else 1))
    began = time.process_time()
    header = pnm.read_header(kind + b"\n# 255 65535\n%d %d\n%d\n" % (*shape, depth) + pixels)
    assert time.process_time() - began < 0.5  # Pillow takes 2 to 5 s
    assert header.data.startswith(kind + b"\n%d %d\n255\n" % shape)


@pytest.mark.parametrize("kind", [b"P2", b"P3", b"P5", b"P6"])
@pytest.mark.parametrize("bits", [8, 10, 12])
def test_what_a_sensor_left_empty_of_16_bits_is_not_darkness(kind: bytes, bits: int) -> None:
    values = LEVELS * (2**bits - 1) // 255
    samples = np.repeat(values[..., None], 3, 2) if kind in {b"P3", b"P6"} else values
    in_text = kind in {b"P2", b"P3"}
    pixels = b" ".join(b"%d" % v for v in samples.ravel()) if in_text else samples.astype(">u2").tobytes()
    found = decode(kind + b" 96 64 65535\n" + pixels).tensor.astype(int)
    assert np.abs(found - decode(encoded(GREY, "PNG")).tensor).mean() < 2


def test_16_bits_of_little_contrast_stay_so() -> None:
    levels = (30000 + LEVELS).astype(">u2")
    assert np.ptp(decode(b"P5 96 64 65535\n" + levels.tobytes()).tensor.astype(int)) < 3


@pytest.mark.parametrize("data", [b"P2 32 32 9\n 1 x", b"P3 32 32 9\n", b"P5 32 32 0\n", b"P5 32 32 65536\n", b"P5 3"])
def test_what_is_no_number_is_damage(data: bytes) -> None:
    with pytest.raises(CorruptImage, match="PNM"):
        decode(data + b"\n")


def test_a_plain_file_is_not_copied() -> None:
    data = encoded(GREY, "PPM")
    assert pnm.read_header(data).data is data
