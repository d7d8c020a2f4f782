"""A Netpbm header: numbers in text, with comments between them.

Pillow scales samples in Python, so what it gets is a file that it only has to copy: of 8 bits, under a plain header.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from model.decoding.header import RGB, WIDE, Header
from model.decoding.limits import check_count
from model.errors import CorruptImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

BETWEEN = re.compile(rb"(?:\s|#[^\r\n]*+[\r\n])*+")  # comments may be of any length, and between any two numbers
NUMBER = re.compile(rb"\d{1,9}")
FLOAT = re.compile(rb"[-+.\deE]{1,20}")
DIGITS, TOO_LONG = b"0123456789 \t\r\n\v\f", re.compile(rb"\d{10}")
MOST_TEXT = 2**22  # bytes; P1, P2 and P3 hold numbers in text
AT_ONCE = 2**20  # samples that are scaled at a time
BYTE, SHORT = 2**8 - 1, 2**16 - 1  # the largest values of samples that need no scaling


def read_header(data: bytes) -> Header:
    kind = data[1:2]
    width, position = _number(data, 2)
    height, position = _number(data, position)
    most, scale = BYTE, b""
    if kind == b"f":
        scale, position = _token(FLOAT, data, position)
    elif kind not in b"14":
        most, position = _number(data, position)
    if kind in b"123":
        check_count(len(data) - position, MOST_TEXT, "bytes of pixels in text")
    if not data[position : position + 1].isspace() or not 0 < most <= SHORT:
        raise _broken()
    samples = width * height * (3 if kind in b"36" else 1)
    packed = memoryview(data)[position + 1 :]
    pixels: bytes | memoryview = packed
    if kind in b"23" or (kind in b"56" and most != BYTE):
        pixels = _eight_bits(packed, kind, most, samples)
        kind = b"5" if kind in b"25" else b"6"
    last = {b"f": scale + b"\n", b"1": b"", b"4": b""}.get(kind, b"255\n")
    plain = b"P%b\n%d %d\n%b" % (kind, width, height, last)
    needed = data if position + 1 == len(plain) and data.startswith(plain) else b"".join((plain, pixels))
    return Header(width, height, width * height * (RGB + WIDE), needed, alone=kind == b"1")


def _number(data: bytes, position: int) -> tuple[int, int]:
    found, end = _token(NUMBER, data, position)
    return int(found), end


def _token(kind: re.Pattern[bytes], data: bytes, position: int) -> tuple[bytes, int]:
    """Return what comes next in the header, and where it ends."""
    between = BETWEEN.match(data, position)
    found = kind.match(data, between.end() if between else position)
    if not found:
        raise _broken()
    return found[0], found.end()


def _broken() -> CorruptImage:
    return CorruptImage("the PNM image cannot be decoded (its header is broken)")


def _eight_bits(pixels: memoryview, kind: bytes, most: int, count: int) -> bytes:
    """Return the samples in bytes. Those of 16 bits may hold fewer (see depth); of other depths the header states them."""
    import numpy as np

    from model.decoding.depth import brightness

    samples = (_in_text(bytes(pixels)) if kind in b"23" else _packed(pixels, most))[:count]
    factor = brightness(int(samples.max())) if most == SHORT and samples.size else 255 / most

    def scaled() -> "Iterator[bytes]":
        for at in range(0, samples.size, AT_ONCE):
            values = (samples[at : at + AT_ONCE] * factor).clip(0, 255)
            yield (values if most == SHORT else values.round()).astype(np.uint8).tobytes()

    return b"".join(scaled())


def _packed(pixels: memoryview, most: int) -> "NDArray[Any]":
    import numpy as np

    kind, size = (">u2", 2) if most > BYTE else ("u1", 1)
    return np.frombuffer(pixels, kind, len(pixels) // size)


def _in_text(pixels: bytes) -> "NDArray[Any]":
    import numpy as np

    text = re.sub(rb"#[^\r\n]*", b" ", pixels).strip()
    if not text or text.translate(None, DIGITS) or TOO_LONG.search(text):
        raise CorruptImage("the PNM image cannot be decoded (its pixels are not numbers)")
    return np.fromstring(text, np.uint32, sep=" ")
