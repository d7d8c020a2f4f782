"""A WebP's header (RFC 9649): the canvas, which Pillow's decoder allocates several times before it has read a pixel."""

import struct

from model.decoding.header import Header
from model.errors import CorruptImage

CANVASES = 17  # bytes a pixel: the canvases and the frame of the animation decoder, Pillow's copies


def read_header(data: bytes) -> Header:
    width, height = _canvas(data)
    return Header(width, height, width * height * CANVASES, data)


def _canvas(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L" and len(data) >= 25:
        (bits,) = struct.unpack("<I", data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a" and len(data) >= 30:
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise CorruptImage("the WEBP image cannot be decoded (its header is broken)")
