"""Bytes → tensor, once: the only place where an image is decoded and resized, for training and for serving.

It knows nothing of models: scaling to [-1, 1] is inside the exported graph, so what leaves here is plain uint8.

Magic bytes decide the format, never a file name or a header. What a decode will cost is estimated before it begins, and
decoders that no header bounds run in a process of their own. EXIF orientation is applied. Transparency is composited on
white. Grey, palette, CMYK and 16-bit become 8-bit RGB, profiles of colours sRGB. Animations give their first frame. The
whole picture is squeezed into a square, as TensorFlow's retrain.py did it. docs/formats.md has a line for each case.
"""

import errno
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.decoding.damage import damage_of
from model.decoding.formats import FORMATS, MAGIC, image_format
from model.decoding.header import SIDE, Header, read_header
from model.decoding.limits import MB, Limits, megabytes
from model.decoding.memory import reserve
from model.decoding.picture import Small, read_picture
from model.errors import CorruptImage, ImageError, ImageTooLarge

__all__ = [
    "FORMATS",
    "MAGIC",
    "PREPROCESSING",
    "SIDE",
    "DecodedImage",
    "Limits",
    "damage_of",
    "decode",
    "image_format",
    "pixels_digest",
    "read_image",
]

PROCESS = 32 * MB  # what a decoder's process takes before it has decoded anything, at most
PREPROCESSING = "4"  # raise it whenever the same bytes would give another tensor: caches and models are keyed by it


@dataclass(frozen=True, eq=False)
class DecodedImage:
    tensor: NDArray[np.uint8]  # (299, 299, 3) RGB
    width: int  # px, as a person sees it: after EXIF orientation
    height: int
    format: str  # a key of FORMATS


def read_image(path: Path, limits: Limits) -> bytes:
    """Read a file, but no more of it than shows that it is too large. Raises OSError, also for what is no regular file."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with path.open("rb") as file:
        return file.read(limits.max_bytes + 1)


def decode(data: bytes, limits: Limits = Limits()) -> DecodedImage:
    """Decode an encoded image into the tensor that every model here takes: RGB uint8 (299, 299, 3).

    Raises UnsupportedImage, CorruptImage, ImageTooLarge or ImageOutOfBounds, whatever the bytes are.
    """
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(
            f"the image has more than the {megabytes(limits.max_bytes)} that are read: send a smaller one"
        )
    format = image_format(data)
    header = _header(format, data, limits)
    with reserve(_held(header, data), limits.max_decode_mb * MB):
        small = _read(format, header, data, limits)
    return DecodedImage(np.asarray(small.picture), small.width, small.height, format)


def pixels_digest(image: DecodedImage) -> str:
    """Return a SHA-256 that two files share if they hold the same picture: its size and its pixels, not its metadata."""
    digest = sha256(f"{image.width}x{image.height} ".encode())
    digest.update(image.tensor.data)
    return digest.hexdigest()


def _header(format: str, data: bytes, limits: Limits) -> Header:
    try:
        return read_header(format, data, limits)
    except (MemoryError, ImageError):
        raise
    except Exception as error:  # hostile bytes: an index past the end, a number of no meaning
        raise CorruptImage(f"the {format} image cannot be decoded (its header is broken)") from error


def _held(header: Header, data: bytes) -> int:
    """Return the bytes that are in use beside the model meanwhile: the decode's own, and copies of the file."""
    return header.cost + len(header.data) + (2 * len(data) + PROCESS if header.alone else 0)


def _read(format: str, header: Header, data: bytes, limits: Limits) -> Small:
    if header.alone:
        from model.decoding.alone import read_alone

        return read_alone(format, header, data, limits)
    return read_picture(format, header)
