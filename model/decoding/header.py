"""What the header of an image tells before a decoder sees it: its size, and what decoding it will cost.

A reader of headers never believes a number further than it must: each size is held against the limits, each list is
counted before it is walked, and what a decoder does not need it does not get.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from model.decoding.limits import Limits, check_cost, check_size

if TYPE_CHECKING:
    from PIL import Image

    from model.decoding.samples import Rows

SIDE = 299  # px; Inception v3's input (Szegedy et al., 2015)

# Bytes a pixel that Pillow holds at its peak, from the decoded picture to the small one. RGB lies in four bytes.
GREY = 1
BLACK_AND_WHITE = 2  # and its grey
RGB = 4
RGBA = 8  # resizing multiplies alpha into a copy
PALETTE = 1 + 4  # and its RGB
PALETTE_ALPHA = 1 + 8
SIXTEEN = 2 + 2
WIDE = 4 + 1  # 32-bit integers or floats, and their 8 bits


class Crop(NamedTuple):
    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Header:
    width: int  # px, before it is turned upright
    height: int
    cost: int  # bytes that decoding holds at its peak, beyond the file itself
    data: bytes  # what the decoder gets: the file, or what it needs of it
    alone: bool = False  # decode in a process of its own: its header does not bound its decoder
    bits: int = 8  # of a sample, where they are more than Pillow keeps
    orientation: int | None = None  # where the decoder is not to read it
    profile: bytes | None = None  # of colours, where the decoder is not to read it
    crop: Crop | None = None  # where the decoder does not apply it
    covered: Crop | None = None  # what of the canvas holds pixels, where that is not all of it
    nodata: float | None = None  # the value of pixels that hold none
    inverted: bool = False  # 0 is white, and the decoder does not say so
    levels: tuple[int, ...] | None = None  # what the decoder makes of each channel's largest value, where it is not 255
    signed: bool = False  # 8 bits that the decoder takes for unsigned ones
    swapped: bool = False  # the decoder leaves wide samples in the wrong order of bytes
    unsigned: bool = False  # 32 bits that the decoder takes for signed ones
    transparent: tuple[int, ...] = ()  # the 16-bit samples of pixels that are not seen
    associated: bool = False  # 16-bit colours are multiplied by their alpha
    no_alpha: bool = False  # what seems to be alpha is none
    unused_alpha: bool = False  # where alpha is 0 everywhere it is none: its writers leave it so, and mean opaque
    deep: "Callable[[Any, Image.Image], Rows | None] | None" = None  # reads all bits of 16-bit colours (see samples)


READERS = {  # format → the module whose `read_header` reads it
    "JPEG": "jpeg",
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tiff",
    "AVIF": "boxes",
    "HEIC": "boxes",
    "JP2": "jpeg2000",
    "PNM": "pnm",
    "TGA": "tga",
}


def read_header(format: str, data: bytes, limits: Limits) -> Header:
    """Raises ImageOutOfBounds where a limit is passed, and nearly anything where the bytes are broken."""
    reader: Callable[[bytes], Header] = import_module(f"model.decoding.{READERS[format]}").read_header
    header = reader(data)
    check_size(header.width, header.height, limits)
    check_cost(header.cost, limits)
    return header
