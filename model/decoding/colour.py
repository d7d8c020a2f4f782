"""From the colours that a profile describes to sRGB, by littleCMS; imported when the first profile of another kind arrives."""

from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms

from model.decoding.limits import MOST_PROFILE

PROGRAM = b"mpet"  # steps of any number for each of 36,000 colours (ICC.1, multiProcessElements); no camera writes them
SPACES = {  # mode → the profile's own name, at its byte 16
    "RGB": b"RGB ",
    "L": b"GRAY",
    "CMYK": b"CMYK",
    "LAB": b"Lab ",
}


def to_srgb(small: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the picture in sRGB; as it is where the profile is broken or of another kind of colours."""
    if small.mode == "RGBA":
        colours = small.convert("RGB")
        grey = profile is not None and profile[16:20] == SPACES["L"] and _is_grey(colours)
        converted = to_srgb(colours.getchannel("R") if grey else colours, profile)
        converted.putalpha(small.getchannel("A"))
        return converted
    if small.mode == "L" and profile is not None and profile[16:20] == SPACES["RGB"]:
        small = small.convert("RGB")
    transform = _transform(small.mode, None if small.mode == "LAB" else profile)
    return ImageCms.applyTransform(small, transform) or small if transform else small


def _is_grey(colours: Image.Image) -> bool:
    """Say whether it was grey before alpha, or its palette, made it colours."""
    red, *others = (band.tobytes() for band in colours.split())
    return all(band == red for band in others)


@lru_cache(maxsize=16)  # a camera's profile is the same in all its photos; making a transform takes 1–20 ms
def _transform(mode: str, profile: bytes | None) -> Any:
    if profile and (len(profile) > MOST_PROFILE or profile[16:20] != SPACES.get(mode) or PROGRAM in profile):
        return None
    with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        source = ImageCms.ImageCmsProfile(BytesIO(profile)) if profile else ImageCms.createProfile("LAB")
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    return None
