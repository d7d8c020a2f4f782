"""Which way is up: EXIF's orientation (EXIF 2.32, section 4.6.4), read alone, since Pillow would read every tag there is."""

import re
import struct

from PIL import Image

TAG = 0x0112
IN_XMP = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>\s*)([1-8])")
BEGINNING = re.compile(rb"\A(?:Exif\0\0)+")  # a JPEG's, which some writers put before other formats' tags as well
RAW_PROFILES = ("Raw profile type exif", "Raw profile type APP1")  # keywords of a PNG's texts: ImageMagick's
SIDEWAYS = {5, 6, 7, 8}  # width and height change places
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(exif: bytes | None, xmp: bytes | str | None = None) -> int:
    """Return 1–8; 1 where nothing sound says otherwise."""
    stated = _in_exif(exif) if exif else None
    if stated is None and xmp:
        match = IN_XMP.search(xmp.encode(errors="replace") if isinstance(xmp, str) else xmp)
        stated = int(match[1]) if match else None
    return upright(stated)


def upright(stated: int | None) -> int:
    return stated if stated in UPRIGHT else 1


def _in_exif(exif: bytes) -> int | None:
    tags = BEGINNING.sub(b"", exif)
    order = {b"II": "<", b"MM": ">"}.get(tags[:2])
    if order is None:
        return None
    try:
        (first,) = struct.unpack_from(f"{order}I", tags, 4)
        (count,) = struct.unpack_from(f"{order}H", tags, first)
        for at in range(first + 2, first + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", tags, at)
            if tag == TAG:
                (value,) = struct.unpack_from(f"{order}{'I' if kind == 4 else 'H'}", tags, at + 8)  # 3: SHORT, 4: LONG
                return int(value)
    except struct.error:  # broken metadata does not make a sound picture unreadable
        pass
    return None
