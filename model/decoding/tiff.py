"""A TIFF's first directory, read and written anew (TIFF 6.0; BigTIFF): what decodes it gets a classic, small one that says what is so.

So neither millions of tags, directories or strips nor tags that nobody needs reach Pillow, big-endian BigTIFFs can be
read, and what Pillow would misread is said in terms that it reads: colour maps of 8 bits, signed bytes, white as zero.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from model.decoding.header import BLACK_AND_WHITE, PALETTE, RGB, RGBA, SIXTEEN, WIDE, Header
from model.decoding.limits import check_count
from model.decoding.orientation import upright
from model.errors import CorruptImage, UnreadFormat, UnsupportedImage

if TYPE_CHECKING:
    from PIL import Image

    from model.decoding.samples import Rows

MOST_TAGS = 4_096
MOST_STRIPS = 65_536
MOST_VALUES = 2**23  # bytes of all tags; a press profile has 3 MB, 65,536 strips have 1 MB

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIPS, ORIENTATION, SAMPLES, ROWS, STRIP_SIZES, PLANAR, PREDICTOR, COLOURS = 273, 274, 277, 278, 279, 284, 317, 320
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_SIZES, SUB_DIRECTORIES, EXTRA, SAMPLE_FORMAT = 322, 323, 324, 325, 330, 338, 339
SUBFILE, DNG, NODATA = 254, 50706, 42113
FAX = {292, 293}
JPEG_CODED, JPEG_TABLES = 7, 347
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


def read_header(data: bytes) -> Header:
    directory = _with_photometric(read_directory(data))
    _refuse_raw(directory)
    _refuse_planes(directory)
    width, height = directory.number(WIDTH, 0), directory.number(HEIGHT, 0)
    bits, samples = directory.number(BITS, 1), directory.number(SAMPLES, 1)
    if bits not in {1, 2, 4, 8, 12, 16, 32} or not 0 < samples <= 16:
        raise UnsupportedImage(
            f"the TIFF image has samples of {bits} bits, {samples} a pixel, which are not read: save it as RGB of 8 bits"
        )
    format, single = directory.number(SAMPLE_FORMAT, 1), samples == 1
    inverted = single and bits >= 16 and directory.number(PHOTOMETRIC, 0) == WHITE_IS_ZERO
    signed = single and bits == 8 and format == SIGNED
    unsigned = single and bits == 32 and format == UNSIGNED
    plain = _plain(directory, inverted=inverted, signed=signed, unsigned=unsigned)
    return Header(
        width,
        height,
        width * height * _bytes_a_pixel(directory) + _part(directory),
        _written(data, plain),
        alone=True,  # libtiff writes a line to stderr for each row that is broken, and its codecs are many
        orientation=upright(directory.number(ORIENTATION, 1)),
        nodata=_nodata(directory),
        bits=bits,
        inverted=inverted,
        signed=signed,
        unsigned=unsigned,
        associated=bits == 16 and directory.number(EXTRA, 0) == ASSOCIATED,
        unused_alpha=EXTRA not in directory.tags,
        swapped=single and directory.order == ">" and (bits == 32 or (bits == 16 and format == SIGNED)),
        deep=partial(_deep, data, directory),
    )


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


def _refuse_raw(directory: Directory) -> None:
    """A camera's raw file holds a thumbnail where a picture is expected."""
    thumbnail = directory.number(SUBFILE, 0) & 1 and SUB_DIRECTORIES in directory.tags
    if thumbnail or DNG in directory.tags or directory.number(PHOTOMETRIC, 0) in SENSOR:
        raise UnreadFormat(
            "this is an image of the format camera raw (DNG, NEF, ARW …), which is not read: develop it, and send a JPEG"
        )


def _refuse_planes(directory: Directory) -> None:
    """What is decoded of other samples than RGB or CMYK in planes is another picture."""
    several = directory.number(PLANAR, 1) == 2 and directory.number(SAMPLES, 1) > 1
    if several and directory.number(PHOTOMETRIC, COLOURED) not in {COLOURED, INKED}:
        raise UnsupportedImage(
            "the TIFF image has its samples in planes, and is not RGB, which is not read: save it as RGB of 8 bits"
        )


def _with_photometric(directory: Directory) -> Directory:
    """Say of a file that does not what its samples mean: what most readers take them for (libtiff's tiff2rgba does)."""
    if PHOTOMETRIC in directory.tags:
        return directory
    samples, fax = directory.number(SAMPLES, 1), directory.number(COMPRESSION, 1) in FAXES
    grey = COLOUR_MAP if COLOURS in directory.tags else WHITE_IS_ZERO if fax else BLACK_IS_ZERO
    stated = _shorts(directory.order, [COLOURED if samples >= 3 else grey])
    return replace(directory, tags=directory.tags | {PHOTOMETRIC: stated})


def _bytes_a_pixel(directory: Directory) -> int:
    bits, samples = directory.number(BITS, 1), directory.number(SAMPLES, 1)
    if directory.number(PHOTOMETRIC, 0) == COLOUR_MAP:
        return PALETTE
    if samples == 1:
        return BLACK_AND_WHITE if bits <= 8 else SIXTEEN if bits <= 16 else WIDE
    return (RGB if samples == 3 else RGBA) + (2 * samples if bits == 16 else 0)  # all 16 bits may be read once more


def _part(directory: Directory) -> int:
    """Return the bytes of a strip or tile, which libtiff holds whole."""
    width, height = directory.number(WIDTH, 0), directory.number(HEIGHT, 0)
    bits, samples = directory.number(BITS, 1), directory.number(SAMPLES, 1)
    if TILES in directory.tags:
        width, rows = directory.number(TILE_WIDTH, 0), directory.number(TILE_HEIGHT, 0)
    else:
        rows = min(directory.number(ROWS, height), height)
    coded = directory.number(PHOTOMETRIC, 0) == YCBCR  # libtiff turns it into RGBA
    return width * rows * (32 if coded else samples * bits) // 8


def _plain(directory: Directory, *, inverted: bool, signed: bool, unsigned: bool) -> Directory:
    tags = {tag: found for tag, found in directory.tags.items() if tag in NEEDED}
    if inverted:
        tags[PHOTOMETRIC] = _shorts(directory.order, [BLACK_IS_ZERO])
    if signed:
        tags[SAMPLE_FORMAT] = _shorts(directory.order, [UNSIGNED])
    if unsigned:
        tags[SAMPLE_FORMAT] = _shorts(directory.order, [SIGNED])
    if EXTRA not in tags and directory.number(SAMPLES, 1) == 4 and directory.number(PHOTOMETRIC, 0) == COLOURED:
        tags[EXTRA] = _shorts(directory.order, [SEPARATE])  # in planes, Pillow would divide by it
    colours = directory.numbers(COLOURS)
    if colours and max(colours) < 256:  # some writers fill the 16-bit map with 8-bit values
        tags[COLOURS] = _shorts(directory.order, [257 * value for value in colours])
    return replace(directory, tags=tags)


def _deep(data: bytes, directory: Directory, reader: Any, picture: "Image.Image") -> "Rows | None":
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
        BITS: _shorts(order, [16]),
        SAMPLES: _shorts(order, [1]),
        PHOTOMETRIC: _shorts(order, [BLACK_IS_ZERO]),
    }
    tags = {tag: found for tag, found in directory.tags.items() if tag in parts | kept}
    return _written(data, Directory(order, tags | stated | changed))


def _shorts(order: str, values: list[int]) -> Tag:
    return Tag(SHORT, len(values), struct.pack(f"{order}{len(values)}H", *values))


def _written(data: bytes, directory: Directory) -> bytes:
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


def _nodata(directory: Directory) -> float | None:
    stated = directory.tags.get(NODATA)
    try:
        return float(stated.value.rstrip(b"\0 ")) if stated else None
    except ValueError:
        return None
