"""A BMP's header (Microsoft's BITMAPINFOHEADER and its successors)."""

import struct

from model.decoding.header import PALETTE, RGB, RGBA, Header
from model.decoding.limits import MOST_PROFILE, check_count

RLE = {1, 2}
MOST_RLE_PIXELS = 4_000_000  # Pillow's own decoder, in Python, takes about 0.1 µs for each,
MOST_RLE_BYTES = 2**20  # and 0.2 µs for each of these
BITFIELDS = 3
V5, EMBEDDED = 124, b"DEBM"  # the size of the header that may hold an ICC profile, and the mark that it does


def read_header(data: bytes) -> Header:
    (size,) = struct.unpack("<I", data[14:18])
    if size == 12:
        width, height, _, bits = struct.unpack("<HHHH", data[18:26])
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack("<IiHHI", data[18:34])
        height = abs(height)
    if compression in RLE:
        check_count(width * height, MOST_RLE_PIXELS, "pixels of a run-length encoded BMP")
        check_count(len(data), MOST_RLE_BYTES, "bytes of a run-length encoded BMP")
    pixel = RGBA if bits == 32 else RGB if bits > 8 else PALETTE
    unpacked = 2 if compression in RLE else 0  # Pillow's own decoder, in Python, collects bytes first
    cost = width * height * (pixel + unpacked)
    profile = _profile(data) if size == V5 else None
    return Header(width, height, cost, data, alone=compression in RLE, unused_alpha=True, profile=profile)


def _profile(data: bytes) -> bytes | None:
    """Return the profile of a BITMAPV5HEADER, which says where it lies, from the header's own start."""
    start, size = struct.unpack("<II", data[14 + 112 : 14 + 120])
    embedded = data[14 + 56 : 14 + 60] == EMBEDDED and size <= MOST_PROFILE
    return data[14 + start : 14 + start + size] or None if embedded else None
