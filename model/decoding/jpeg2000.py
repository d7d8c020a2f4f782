"""A JPEG 2000 codestream's SIZ segment and the boxes around it (ISO/IEC 15444-1, A.5.1 and annex I).

OpenJPEG is not bounded by them, so it runs alone. Pillow reduces colours of more than 8 bits by rounding up, which turns
white into black: they are refused.
"""

import struct
from itertools import islice

from model.decoding.header import RGB, RGBA, Header
from model.decoding.iso import boxes
from model.decoding.limits import check_count
from model.errors import CorruptImage, UnsupportedImage

SAMPLE = 6  # bytes: 32-bit coefficients, and what Pillow unpacks
MOST_TILES = 4096
MOST_BOXES = 1000  # in front of the codestream, and in the header's box
START = b"\xff\x4f\xff\x51"
ENUMERATED, PROFILES = 1, {2, 3}  # methods of a colour specification box
CIELAB = 14


def read_header(data: bytes) -> Header:
    at = data.find(START)
    if at < 0 or len(data) < at + 43:
        raise CorruptImage("the JP2 image cannot be decoded (its header is broken)")
    right, bottom, left, top, tile_width, tile_height, _, _, components = struct.unpack(">8IH", data[at + 8 : at + 42])
    width, height = right - left, bottom - top
    check_count(-(-width // max(tile_width, 1)) * -(-height // max(tile_height, 1)), MOST_TILES, "tiles")
    depths = tuple((value & 0x7F) + 1 for value in data[at + 42 : at + 42 + 3 * min(components, 4) : 3])
    found = {} if at == 0 else _header_boxes(data)
    _check_depth(depths, palette=b"pclr" in found)
    cost = width * height * (SAMPLE * components + (RGB if components < 4 else RGBA))
    return Header(
        width,
        height,
        cost,
        data[at:] if max(depths) > 8 else data,  # of 9 bits Pillow takes the header's box for one of 8
        alone=True,
        bits=max(depths),
        levels=tuple(2**depth - 1 << 8 - depth for depth in depths) if min(depths) < 8 else None,
        profile=_profile(found.get(b"colr", b"")),
    )


def _header_boxes(data: bytes) -> dict[bytes, bytes]:
    """Return what is in the boxes of the header's box: the first of each type."""
    found: dict[bytes, bytes] = {}
    for kind, start, end in islice(boxes(data, 0, len(data)), MOST_BOXES):
        if kind == b"jp2h":
            for name, begin, stop in islice(boxes(data, start, end), MOST_BOXES):
                found.setdefault(name, data[begin:stop])
            break
    return found


def _check_depth(depths: tuple[int, ...], *, palette: bool) -> None:
    if max(depths) > 8 and (palette or len(depths) > 1):
        raise UnsupportedImage(
            f"the JPEG 2000 image has colours of {max(depths)} bits, which are not read: save it with 8 bits, or as a "
            "PNG or a TIFF"
        )
    if palette and depths[0] < 8:
        raise UnsupportedImage(
            f"the JPEG 2000 image has a palette of {depths[0]} bits, which is not read: save it without one"
        )


def _profile(colour: bytes) -> bytes | None:
    if colour[:1] and colour[0] in PROFILES:
        return colour[3:]
    if colour[:1] and colour[0] == ENUMERATED and int.from_bytes(colour[3:7]) == CIELAB:
        raise UnsupportedImage("the JPEG 2000 image has colours of CIELab, which are not read: save it as sRGB")
    return None
