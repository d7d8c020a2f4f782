"""A Netpbm header: numbers in text, with comments between them."""

import re

from model.decoding.header import RGB, WIDE, Header
from model.decoding.limits import check_count
from model.errors import CorruptImage

NUMBERS = re.compile(rb"P([1-6f])(?:\s|#[^\n]{0,4096}\n)+(\d{1,9})(?:\s|#[^\n]{0,4096}\n)+(\d{1,9})\s")
MOST_TEXT = 2**22  # bytes; P1, P2 and P3 hold numbers in text, which Pillow reads in Python, 5 MB in a second


def read_header(data: bytes) -> Header:
    match = NUMBERS.match(data[: 2**16])
    if not match:
        raise CorruptImage("the PNM image cannot be decoded (its header is broken)")
    kind, width, height = match[1], int(match[2]), int(match[3])
    if kind in b"123":
        check_count(len(data), MOST_TEXT, "bytes of pixels in text")
    slow = kind in b"123" or _is_scaled(kind, data)
    return Header(width, height, width * height * (RGB + WIDE), data, alone=slow, bits=16)


def _is_scaled(kind: bytes, data: bytes) -> bool:
    """Say that samples have another largest value than 255 or 65535: Pillow scales each of them in Python."""
    rest = data[: 2**16].split(None, 8)
    return kind in b"56" and b"255" not in rest[:8] and b"65535" not in rest[:8]
