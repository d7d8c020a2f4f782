"""A TGA's header (Truevision, 1991). The format has no magic bytes at its start: see formats.is_tga."""

import struct

from model.decoding.header import PALETTE, RGBA, Header


def read_header(data: bytes) -> Header:
    width, height, bits = struct.unpack("<HHB", data[12:17])
    return Header(width, height, width * height * (PALETTE if bits == 8 else RGBA), data)
