"""Bytes → tensor, once: the only place where an image is decoded and resized, for training and for serving.

It knows nothing of models: scaling to [-1, 1] is inside the exported graph, so what leaves here is plain uint8.

Magic bytes decide the format, never a file name or a header. Pixels are counted before they are decompressed.
EXIF orientation is applied. Transparency is composited on white. Grey, palette, CMYK and 16-bit become 8-bit RGB.
Animations give their first frame. The whole picture is squeezed into a square, as TensorFlow's retrain.py did it.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.errors import CorruptImage, ImageOutOfBounds, ImageTooLarge, UnsupportedImage

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

SIDE = 299  # px; Inception v3's input (Szegedy et al., 2015)
PREPROCESSING = "1"  # raise it whenever the same bytes would give another tensor: caches and models are keyed by it
BACKGROUND = (255, 255, 255)  # what shows through transparency

FORMATS = {  # format → the class that reads it; imported when the first such image arrives
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIC": ("pi_heif", "HeifImageFile"),
}
MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",  # BigTIFF
    b"MM\0+": "TIFF",
    b"BM": "BMP",
}
ISO_BRANDS = {  # bytes 8–12 of an ISO base media file (ISO/IEC 23008-12)
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"hevc": "HEIC",
    b"hevx": "HEIC",
    b"heim": "HEIC",
    b"heis": "HEIC",
    b"mif1": "HEIC",
    b"msf1": "HEIC",
}

ORIENTATION = 0x0112  # the EXIF tag; its values and what undoes them: EXIF 2.32, section 4.6.4
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Limits:
    """What an image may be before it is refused unread."""

    max_bytes: int = 20 * 2**20  # the largest file; phone photos are 2–8 MB
    max_pixels: int = 50_000_000  # width × height; a 48-megapixel phone photo passes
    min_side: int = 16  # px; below it there is nothing to recognise


def read_image(path: Path, limits: Limits) -> bytes:
    """Read a file, but no more of it than shows that it is too large. Raises OSError, also for what is no regular file."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with path.open("rb") as file:
        return file.read(limits.max_bytes + 1)


@dataclass(frozen=True, eq=False)
class DecodedImage:
    tensor: NDArray[np.uint8]  # (299, 299, 3) RGB
    width: int  # px, as a person sees it: after EXIF orientation
    height: int
    format: str  # a key of FORMATS


def decode(data: bytes, limits: Limits = Limits()) -> DecodedImage:
    """Decode an encoded image into the tensor that every model here takes: RGB uint8 (299, 299, 3).

    Raises UnsupportedImage, CorruptImage, ImageTooLarge or ImageOutOfBounds, whatever the bytes are.
    """
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"the image has more than the {limits.max_bytes:,} bytes that are read: send a smaller one")
    format = image_format(data)
    with _broken_means_corrupt(format):
        picture = _reader(format)(BytesIO(data))
    _check_bounds(picture.size, limits)
    with _broken_means_corrupt(format):
        width, height, small = _shrink(picture)
    return DecodedImage(np.asarray(small), width, height, format)


def image_format(data: bytes) -> str:
    """Name the format by its first bytes; raises UnsupportedImage where they are of none that we read."""
    if not data:
        raise UnsupportedImage("the image is empty (0 bytes)")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in ISO_BRANDS:
        return ISO_BRANDS[data[8:12]]
    for magic, name in MAGIC.items():
        if data.startswith(magic):
            return name
    raise UnsupportedImage(
        f"not an image that can be read: it begins with {data[:8]!r}; send {', '.join(FORMATS)} (the content decides, "
        "not the name)"
    )


@cache
def _reader(format: str) -> Any:
    module, name = FORMATS[format]  # opened by class: PIL.Image.open would import five plug-ins to read one
    return getattr(import_module(module), name)


@contextmanager
def _broken_means_corrupt(format: str) -> Iterator[None]:
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # hostile bytes make Pillow raise nearly any type; only Pillow runs inside
        raise CorruptImage(f"the {format} image cannot be decoded ({error or type(error).__name__})") from error


def _check_bounds(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise ImageOutOfBounds(
            f"the image is {width} × {height} px; at most {limits.max_pixels:,} pixels are decoded: scale it down"
        )
    if min(width, height) < limits.min_side:
        raise ImageOutOfBounds(
            f"the image is {width} × {height} px; its smaller side must have at least {limits.min_side} px"
        )


def _shrink(picture: "ImageFile") -> tuple[int, int, Image.Image]:
    """Return the upright width and height, and the upright RGB picture at (299, 299)."""
    width, height = picture.size
    picture.draft(
        "RGB", (SIDE, SIDE)
    )  # big JPEGs are decoded at 1/2, 1/4 or 1/8 of their size, for a fraction of the time
    picture.load()
    small = _eight_bit(picture).resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    if small.mode == "RGBA":
        white = Image.new("RGBA", small.size, BACKGROUND)
        small = Image.alpha_composite(white, small).convert("RGB")
    orientation = _orientation(picture)  # after load: TIFF turns itself, and then says 1
    if orientation in UPRIGHT:
        small = small.transpose(UPRIGHT[orientation])
    return (height, width, small) if orientation in (5, 6, 7, 8) else (width, height, small)


def _eight_bit(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        picture = _from_sixteen_bit(picture)
    elif picture.mode in ("I", "F"):
        picture = _from_wide(picture)
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def _from_sixteen_bit(picture: Image.Image) -> Image.Image:
    bits = getattr(picture, "tag_v2", {}).get(258, (16,))[0]  # TIFF's BitsPerSample: some hold 12 bits in 16
    return Image.fromarray((np.asarray(picture) >> (max(bits, 8) - 8)).astype(np.uint8))


def _from_wide(picture: Image.Image) -> Image.Image:
    """Stretch 32-bit integer or float pixels, whose range no header states, from their own minimum…maximum."""
    pixels = np.nan_to_num(np.asarray(picture, np.float64))
    low, span = pixels.min(), np.ptp(pixels)
    return Image.fromarray(((pixels - low) * (255 / span if span else 0)).astype(np.uint8))


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - broken metadata does not make a sound picture unreadable
        return 1
