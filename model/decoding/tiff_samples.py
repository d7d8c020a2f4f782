"""16-bit colours of a TIFF as grey pictures, of which Pillow keeps all bits: a directory that calls them so is enough."""

import struct
from typing import TYPE_CHECKING, Any

from model.decoding.tiff_directory import (
    BITS,
    BLACK_IS_ZERO,
    COMPRESSION,
    HEIGHT,
    LONG,
    LOSSLESS,
    PHOTOMETRIC,
    PLANAR,
    PREDICTOR,
    ROWS,
    SAMPLES,
    STRIP_SIZES,
    STRIPS,
    TILE_HEIGHT,
    TILE_SIZES,
    TILE_WIDTH,
    TILES,
    WIDTH,
    Directory,
    Tag,
    shorts,
    written,
)

if TYPE_CHECKING:
    from PIL import Image

    from model.decoding.samples import Rows


def all_bits(data: bytes, directory: Directory, reader: Any, picture: "Image.Image") -> "Rows | None":
    """Read 16-bit colours as grey: Pillow keeps 8 bits of colour, but 16 of grey. None where their coding allows it not."""
    from model.decoding.samples import of_tiff

    if directory.number(COMPRESSION, 1) not in LOSSLESS:
        return None
    planar = directory.number(PLANAR, 1) == 2
    greys = _planes(data, directory) if planar else [_side_by_side(data, directory)]
    across = directory.number(TILE_WIDTH if TILES in directory.tags else WIDTH, 0)
    return of_tiff(greys, across if directory.number(PREDICTOR, 1) == 2 and not planar else 0, reader, picture)


def _planes(data: bytes, directory: Directory) -> list[bytes]:
    """Write each plane as a grey picture."""
    samples, found = directory.number(SAMPLES, 1), []
    for plane in range(samples):
        parts = {}
        for tag in (STRIPS, STRIP_SIZES, TILES, TILE_SIZES):
            values = directory.numbers(tag)
            count = len(values) // samples
            if values:
                own = values[plane * count : (plane + 1) * count]
                parts[tag] = Tag(LONG, count, struct.pack(f"{directory.order}{count}I", *own))
        found.append(_grey(data, directory, {PREDICTOR, TILE_WIDTH}, parts))
    return found


def _side_by_side(data: bytes, directory: Directory) -> bytes:
    """Write all samples as one grey picture, each beside the one before."""
    samples, order = directory.number(SAMPLES, 1), directory.order
    wide = {
        tag: Tag(LONG, 1, struct.pack(f"{order}I", directory.number(tag, 0) * samples))
        for tag in (WIDTH, TILE_WIDTH)
        if tag in directory.tags
    }
    return _grey(data, directory, set(), wide)


def _grey(data: bytes, directory: Directory, kept: set[int], changed: dict[int, Tag]) -> bytes:
    parts = {WIDTH, HEIGHT, COMPRESSION, STRIPS, ROWS, STRIP_SIZES, TILE_HEIGHT, TILES, TILE_SIZES}
    order = directory.order
    stated = {
        BITS: shorts(order, [16]),
        SAMPLES: shorts(order, [1]),
        PHOTOMETRIC: shorts(order, [BLACK_IS_ZERO]),
    }
    tags = {tag: found for tag, found in directory.tags.items() if tag in parts | kept}
    return written(data, Directory(order, tags | stated | changed))
