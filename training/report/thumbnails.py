"""Images → small pictures inside a page, as data: addresses. They are made of pixels alone: no metadata comes along."""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.errors import ImageError
from model.image import Limits, decode, read_image

SIDE = 208  # px of the longer side; a card shows it at half of that, or at all on a sharp screen
QUALITY = 62  # WebP; about 6 kB each
FLATTEST = 4  # times longer than wide, at most: a panorama is still to be seen
COARSER = 4  # times than the thumbnail is an overlay; the browser enlarges it smoothly
FAINTEST = 0.15  # of the largest evidence: what is less is left clear
COVER = 175  # of 255: how much the strongest evidence hides of the picture
FOR, AGAINST = (236, 102, 30), (38, 118, 226)  # orange speaks for the name that was given, blue for the label


@dataclass(frozen=True)
class Thumbnail:
    address: str  # data:
    width: int  # px
    height: int


def thumbnail(path: Path, limits: Limits) -> Thumbnail | None:
    """The picture, small; None where it cannot be read any more."""
    try:
        decoded = decode(read_image(path, limits), limits)
    except (ImageError, OSError):
        return None
    longest = max(decoded.width, decoded.height)
    width, height = (max(round(SIDE * side / longest), SIDE // FLATTEST) for side in (decoded.width, decoded.height))
    small = Image.fromarray(decoded.tensor).resize((width, height), Image.Resampling.LANCZOS)
    return Thumbnail(_address(small), width, height)


def overlay(evidence: NDArray[np.float32], over: Thumbnail) -> str:
    """Evidence (8, 8), for > 0 > against, as a transparent picture of a thumbnail's form that the page lays over it."""
    size = (over.width // COARSER, over.height // COARSER)
    fine = np.asarray(Image.fromarray(evidence.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
    strength = np.abs(fine) / max(float(np.abs(fine).max()), 1e-9)
    alpha = COVER * np.clip((strength - FAINTEST) / (1 - FAINTEST), 0, 1)
    colours = np.where(fine[..., np.newaxis] > 0, FOR, AGAINST)
    pixels = np.concatenate([colours, alpha[..., np.newaxis]], axis=2).round().astype(np.uint8)  # (height, width, 4)
    return _address(Image.fromarray(pixels), lossless=True)


def _address(picture: Image.Image, *, lossless: bool = False) -> str:
    file = BytesIO()
    picture.save(file, "WEBP", quality=QUALITY, lossless=lossless, exact=lossless)
    return f"data:image/webp;base64,{b64encode(file.getvalue()).decode()}"
