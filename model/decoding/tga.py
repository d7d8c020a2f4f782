"""A TGA's header (Truevision, 1991). The format has no magic bytes at its start: see formats.is_tga."""

import struct

from model.decoding.header import PALETTE, RGBA, Header


def read_header(data: bytes) -> Header:
    width, height, bits = struct.unpack("<HHB", data[12:17])
    cost = width * height * (PALETTE if bits == 8 else RGBA)
    no_alpha = data[1] == 0 and data[17] & 15 == 0  # bits of alpha, as its descriptor states; of a palette it does not
    return Header(width, height, cost, data, no_alpha=no_alpha, unused_alpha=True)
