"""A TIFF's first directory, read and written anew (TIFF 6.0; BigTIFF): tags by their numbers, and what their values mean."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from model.decoding.limits import check_count
from model.errors import CorruptImage

MOST_TAGS = 4_096
MOST_STRIPS = 65_536
MOST_VALUES = 2**23  # bytes of all tags; a press profile has 3 MB, 65,536 strips have 1 MB

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIPS, ORIENTATION, SAMPLES, ROWS, STRIP_SIZES, PLANAR, PREDICTOR, COLOURS = 273, 274, 277, 278, 279, 284, 317, 320
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_SIZES, SUB_DIRECTORIES, EXTRA, SAMPLE_FORMAT = 322, 323, 324, 325, 330, 338, 339
SUBFILE, DNG, NODATA = 254, 50706, 42113
FAX = {292, 293}
JPEG_CODED, JPEG_TABLES = 7, 347
THUNDERSCAN = 32809
JPEG = {JPEG_TABLES, *range(512, 522)}
INKS, COLOUR_CODING, PROFILE = 332, {529, 530, 531, 532}, 34675
NEEDED = {
    *(WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, STRIPS, SAMPLES, ROWS, STRIP_SIZES, PLANAR, PREDICTOR),
    *(COLOURS, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_SIZES, EXTRA, SAMPLE_FORMAT, INKS, PROFILE),
    *FAX,
    *JPEG,
    *COLOUR_CODING,
}
NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q", 18: "Q", 13: "I"}  # BYTE, SHORT, LONG, LONG8, IFD8, IFD
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
SHORT, LONG = 3, 4

LOSSLESS = {1, 5, 8, 32773, 32946, 34925, 50000}
WHITE_IS_ZERO, BLACK_IS_ZERO, COLOURED, COLOUR_MAP, INKED, YCBCR, SENSOR = 0, 1, 2, 3, 5, 6, {32803, 34892}
FAXES = {2, 3, 4}  # compressions in which white is 0, unless the file says otherwise
UNSIGNED, SIGNED = 1, 2
ASSOCIATED, SEPARATE = 1, 2  # alpha that colours are multiplied by, and that they are not


@dataclass(frozen=True)
class Tag:
    kind: int
    count: int
    value: bytes


@dataclass(frozen=True)
class Directory:
    order: str  # of bytes: < or >, as struct names it
    tags: dict[int, Tag]

    def numbers(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        found = self.tags.get(tag)
        if found is None or found.kind not in NUMBERS:
            return default
        return struct.unpack(f"{self.order}{found.count}{NUMBERS[found.kind]}", found.value)

    def number(self, tag: int, default: int) -> int:
        return (self.numbers(tag) or (default,))[0]


def read_directory(data: bytes) -> Directory:
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in {b"+\0", b"\0+"}
    number, entry, wide = ("Q", "HHQ8s", 8) if big else ("H", "HHI4s", 4)
    (first,) = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4)
    (count,) = struct.unpack_from(f"{order}{number}", data, first)
    check_count(count, MOST_TAGS, "tags")
    first += struct.calcsize(f"={number}")
    held, tags = 0, dict[int, Tag]()
    for at in range(first, first + count * (12 if not big else 20), 12 if not big else 20):
        tag, kind, length, inline = struct.unpack_from(f"{order}{entry}", data, at)
        if tag not in NEEDED | {ORIENTATION, SUB_DIRECTORIES, SUBFILE, DNG, NODATA} or kind not in SIZES or tag in tags:
            continue
        size = length * SIZES[kind]
        if tag in {STRIPS, TILES, STRIP_SIZES, TILE_SIZES}:
            check_count(length, MOST_STRIPS, "strips or tiles")
        held += size
        check_count(held, MOST_VALUES, "bytes of tags")
        if size > wide:
            (place,) = struct.unpack(f"{order}{'Q' if big else 'I'}", inline)
            value = data[place : place + size] if place < len(data) else b""
        else:
            value = inline[:size]
        if len(value) == size:
            tags[tag] = Tag(kind, length, value)
    return Directory(order, tags)


def shorts(order: str, values: list[int]) -> Tag:
    return Tag(SHORT, len(values), struct.pack(f"{order}{len(values)}H", *values))


def written(data: bytes, directory: Directory) -> bytes:
    """Return the file with a directory of these tags after its end, the only one that its header leads to."""
    order, at = directory.order, len(data) + len(data) % 2
    tags = {tag: _classic(order, found) for tag, found in directory.tags.items()}
    values_at = at + 2 + 12 * len(tags) + 4
    entries, values = [], b""
    for tag, found in sorted(tags.items()):
        inline = found.value.ljust(4, b"\0")
        if len(found.value) > 4:
            inline = struct.pack(f"{order}I", values_at + len(values))
            values += found.value + bytes(len(found.value) % 2)
        entries.append(struct.pack(f"{order}HHI4s", tag, found.kind, found.count, inline))
    start = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, at)
    return b"".join(
        [start, data[8:], bytes(len(data) % 2), struct.pack(f"{order}H", len(entries)), *entries, bytes(4), values]
    )


def _classic(order: str, tag: Tag) -> Tag:
    if SIZES[tag.kind] != 8 or tag.kind not in NUMBERS:
        return tag
    values: Iterable[int] = struct.unpack(f"{order}{tag.count}Q", tag.value)
    if any(value >= 2**32 for value in values):
        raise CorruptImage("the TIFF image cannot be decoded (it refers to bytes past its end)")
    return Tag(LONG, tag.count, struct.pack(f"{order}{tag.count}I", *values))
