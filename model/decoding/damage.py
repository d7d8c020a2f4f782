"""What a decoder mended silently: for training, which can ask its user for a better file. Serving never asks.

libjpeg goes on where bits are lost, and fills what it cannot tell with grey or with another picture's pixels. Pillow drops
its warnings; simplejpeg, which is installed with training, keeps them.
"""

import re

from model.decoding.formats import image_format

EOI = b"\xff\xd9"
EXTRANEOUS = re.compile(r"(\d+) extraneous bytes")
LEAST_WORK = {  # bits are read all the same; what is lost is found by reading them, and the pixels are not needed
    "min_height": 1,
    "min_width": 1,
    "colorspace": "gray",
    "fastdct": True,
    "fastupsample": True,
}
PADDING = 64  # extraneous bytes that some cameras leave, and that mean nothing


def damage_of(data: bytes) -> str | None:
    """Say what is damaged in an image that decodes all the same, in libjpeg's words; None where nothing is known to be."""
    if image_format(data) != "JPEG":
        return None  # the other decoders refuse what is damaged
    whole = data if data.endswith(EOI) else data.rstrip(b"\xff") + EOI
    found = _warning(whole)
    if found and data.endswith(b"\0"):  # of a file that was given more room than it needed, and has no end
        return _warning(data.rstrip(b"\0\xff") + EOI)
    return found


def _warning(whole: bytes) -> str | None:
    import simplejpeg

    try:
        simplejpeg.decode_jpeg(whole, strict=True, **LEAST_WORK)
    except ValueError as warning:
        return _damage(str(warning))
    return None


def _damage(warning: str) -> str | None:
    extraneous = EXTRANEOUS.search(warning)
    if "Corrupt JPEG data" not in warning or (extraneous and int(extraneous[1]) <= PADDING):
        return None  # no damage: a kind of JPEG that simplejpeg does not read
    return warning.partition("Corrupt JPEG data: ")[2]
