"""What is missing from a PNG, TIFF, AVIF or HEIC whose decoder says nothing of it, and fills it with black, white or grey."""

import struct
import zlib
from collections.abc import Callable, Iterator

from model.decoding.extents import coded_extents
from model.decoding.png import read_chunks
from model.decoding.scans import HOLE  # in faxes, LZW, AV1 and HEVC no code is as many zeros, or follows itself so
from model.decoding.tiff_directory import (
    COMPRESSION,
    FAXES,
    JPEG_CODED,
    JPEG_TABLES,
    STRIP_SIZES,
    STRIPS,
    TILE_SIZES,
    TILES,
    Directory,
    read_directory,
)

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # a pixel, by the kind of colour (PNG, section 11.2.1)
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]  # Adam7
AT_ONCE = 2**18  # bytes that are inflated at a time
LZW, DEFLATE = 5, {8, 32946}


def missing_from_png(data: bytes) -> str | None:
    """Say so where the pixels' stream ends, soundly, before their last row."""
    needed = sum(_pass_sizes(data))
    try:
        held = _held(data, needed)
    except zlib.error as error:
        return f"its pixels are broken ({error})"
    return f"{1 - held / needed:.0%} of its pixels are missing" if held < needed else None


def _held(data: bytes, needed: int) -> int:
    """Return how many bytes the pixels' stream holds, but not beyond what is needed."""
    held, inflating = 0, zlib.decompressobj()
    for chunk in read_chunks(data):
        packed = data[chunk.start + 8 : chunk.end - 4] if chunk.kind == b"IDAT" else b""
        while packed and held < needed:
            held += len(inflating.decompress(packed, AT_ONCE))
            packed = inflating.unconsumed_tail
    return held


def _pass_sizes(data: bytes) -> Iterator[int]:
    """Yield the bytes of each pass, a filter's before each row; without interlacing it is one."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    for left, top, across, down in PASSES if interlaced else [(0, 0, 1, 1)]:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            yield rows * (1 + -(-columns * depth * SAMPLES[colour] // 8))


def missing_from_tiff(data: bytes, damage_of_jpeg: Callable[[bytes], str | None]) -> str | None:
    directory = read_directory(data)
    coding = directory.number(COMPRESSION, 1)
    found = (_missing(part, directory, coding, damage_of_jpeg) for part in _parts(data, directory))
    return next((said for said in found if said), None)


def _parts(data: bytes, directory: Directory) -> Iterator[bytes | None]:
    """Yield the bytes of each strip or tile; None for one past the file's end. Those of no bytes are left out by intent."""
    places = directory.numbers(STRIPS) or directory.numbers(TILES)
    sizes = directory.numbers(STRIP_SIZES) or directory.numbers(TILE_SIZES)
    for start, size in zip(places, sizes, strict=False):
        if size:
            yield data[start : start + size] if start + size <= len(data) else None


def _missing(
    part: bytes | None, directory: Directory, coding: int, damage_of_jpeg: Callable[[bytes], str | None]
) -> str | None:
    if part is None:
        return "a strip or tile reaches past the end of the file"
    if coding == 1:
        return None
    if not part.strip(b"\0"):
        return "a strip or tile holds nothing but zeros"
    if coding == JPEG_CODED:
        tables = directory.tags.get(JPEG_TABLES)
        return damage_of_jpeg(tables.value[:-2] + part[2:] if tables else part)
    if coding in DEFLATE:
        return _inflated(part)
    return "a strip or tile holds a run of zeros that is no code" if coding in FAXES | {LZW} and HOLE in part else None


def _inflated(part: bytes) -> str | None:
    """Inflate a strip for its end and its checksum, which libtiff does not look at once it has its rows."""
    inflating, rest = zlib.decompressobj(), part
    try:
        while rest:
            inflating.decompress(rest, AT_ONCE)
            rest = inflating.unconsumed_tail
    except zlib.error as error:
        return f"a strip or tile is broken ({error})"
    return None if inflating.eof or HOLE not in part else "a strip or tile holds zeros and has no end"


def missing_from_boxes(data: bytes) -> str | None:
    holed = HOLE in data and any(HOLE in part for part in coded_extents(data))
    return "its coded pixels hold a run of zeros that is no code" if holed else None
