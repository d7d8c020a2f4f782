"""A JPEG 2000 codestream's SIZ segment (ISO/IEC 15444-1, A.5.1). OpenJPEG is not bounded by it, so it runs alone."""

import struct

from model.decoding.header import RGB, RGBA, Header
from model.decoding.limits import check_count
from model.errors import CorruptImage

SAMPLE = 6  # bytes: 32-bit coefficients, and what Pillow unpacks
MOST_TILES = 4096
START = b"\xff\x4f\xff\x51"


def read_header(data: bytes) -> Header:
    at = data.find(START)
    if at < 0 or len(data) < at + 43:
        raise CorruptImage("the JP2 image cannot be decoded (its header is broken)")
    right, bottom, left, top, tile_width, tile_height, _, _, components = struct.unpack(">8IH", data[at + 8 : at + 42])
    width, height = right - left, bottom - top
    check_count(-(-width // max(tile_width, 1)) * -(-height // max(tile_height, 1)), MOST_TILES, "tiles")
    cost = width * height * (SAMPLE * components + (RGB if components < 4 else RGBA))
    return Header(width, height, cost, data, alone=True, bits=(data[at + 42] & 0x7F) + 1)
