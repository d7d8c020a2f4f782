"""A TIFF's header: what decodes the file gets a classic, small directory that says what is so.

So neither millions of tags, directories or strips nor tags that nobody needs reach Pillow, big-endian BigTIFFs can be
read, and what Pillow would misread is said in terms that it reads: colour maps of 8 bits, signed bytes, white as zero.
"""

from dataclasses import replace
from functools import partial

from model.decoding.header import BLACK_AND_WHITE, PALETTE, RGB, RGBA, SIXTEEN, WIDE, Header
from model.decoding.orientation import upright
from model.decoding.tiff_directory import (
    ASSOCIATED,
    BITS,
    BLACK_IS_ZERO,
    COLOUR_MAP,
    COLOURED,
    COLOURS,
    COMPRESSION,
    DNG,
    EXTRA,
    FAXES,
    HEIGHT,
    INKED,
    JPEG_CODED,
    LOSSLESS,
    NEEDED,
    NODATA,
    ORIENTATION,
    PHOTOMETRIC,
    PLANAR,
    ROWS,
    SAMPLE_FORMAT,
    SAMPLES,
    SENSOR,
    SEPARATE,
    SIGNED,
    SUB_DIRECTORIES,
    SUBFILE,
    THUNDERSCAN,
    TILE_HEIGHT,
    TILE_WIDTH,
    TILES,
    UNSIGNED,
    WHITE_IS_ZERO,
    WIDTH,
    YCBCR,
    Directory,
    read_directory,
    shorts,
    written,
)
from model.decoding.tiff_samples import all_bits
from model.errors import UnreadFormat, UnsupportedImage

READ = LOSSLESS | FAXES | {6, JPEG_CODED, THUNDERSCAN}
UNREAD = {
    33003: "JPEG 2000",
    33005: "JPEG 2000",
    34661: "JBIG",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "JPEG as camera raw has it",
    34933: "PNG",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}


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
    _refuse_coding(directory.number(COMPRESSION, 1))
    format, single = directory.number(SAMPLE_FORMAT, 1), samples == 1
    signed = single and bits == 8 and format == SIGNED
    inverted = single and (bits >= 16 or signed) and directory.number(PHOTOMETRIC, 0) == WHITE_IS_ZERO
    unsigned = single and bits == 32 and format == UNSIGNED
    plain = _plain(directory, inverted=inverted, signed=signed, unsigned=unsigned)
    return Header(
        width,
        height,
        width * height * _bytes_a_pixel(directory) + _part(directory),
        written(data, plain),
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
        deep=partial(all_bits, data, directory),
    )


def _refuse_raw(directory: Directory) -> None:
    """A camera's raw file holds a thumbnail where a picture is expected."""
    thumbnail = directory.number(SUBFILE, 0) & 1 and SUB_DIRECTORIES in directory.tags
    if thumbnail or DNG in directory.tags or directory.number(PHOTOMETRIC, 0) in SENSOR:
        raise UnreadFormat(
            "this is an image of the format camera raw (DNG, NEF, ARW …), which is not read: develop it, and send a JPEG"
        )


def _refuse_coding(coding: int) -> None:
    if coding not in READ:
        raise UnsupportedImage(
            f"the TIFF image is compressed with {UNREAD.get(coding, f'method {coding}')}, which is not read: save it with LZW or "
            "deflate, or uncompressed"
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
    stated = shorts(directory.order, [COLOURED if samples >= 3 else grey])
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
        tags[PHOTOMETRIC] = shorts(directory.order, [BLACK_IS_ZERO])
    if signed:
        tags[SAMPLE_FORMAT] = shorts(directory.order, [UNSIGNED])
    if unsigned:
        tags[SAMPLE_FORMAT] = shorts(directory.order, [SIGNED])
    if EXTRA not in tags and directory.number(SAMPLES, 1) == 4 and directory.number(PHOTOMETRIC, 0) == COLOURED:
        tags[EXTRA] = shorts(directory.order, [SEPARATE])  # in planes, Pillow would divide by it
    colours = directory.numbers(COLOURS)
    if colours and max(colours) < 256:  # some writers fill the 16-bit map with 8-bit values
        tags[COLOURS] = shorts(directory.order, [257 * value for value in colours])
    return replace(directory, tags=tags)


def _nodata(directory: Directory) -> float | None:
    stated = directory.tags.get(NODATA)
    try:
        return float(stated.value.rstrip(b"\0 ")) if stated else None
    except ValueError:
        return None
