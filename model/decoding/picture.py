"""The decode itself: from a header that was read and found affordable to a small, upright sRGB picture."""

from contextlib import suppress
from functools import cache
from importlib import import_module
from io import BytesIO
from typing import Any, NamedTuple

from PIL import Image

from model.decoding.formats import FORMATS
from model.decoding.header import SIDE, Crop, Header
from model.decoding.orientation import RAW_PROFILES, SIDEWAYS, UPRIGHT, orientation_of
from model.decoding.srgb import is_srgb
from model.errors import CorruptImage, ImageError, ImageOutOfBounds, UnsupportedImage

BACKGROUND = (255, 255, 255)  # what shows through transparency
RESIZED_AS_THEY_ARE = {"L", "RGB", "CMYK", "LAB"}
SIXTEEN_BIT_COLOURS = {"PNG", "TIFF"}  # of which Pillow keeps 8 bits
MOST_TWICE = 2**26  # bytes; a dearer JPEG is not decoded again to find out whether a pixel is missing
NOT_READ = (  # what Pillow says of samples that it cannot arrange
    "unknown pixel mode",
    "Invalid value for samples per pixel",
    "Unsupported BMP",
    "cannot handle",
    "unrecognized image mode",
    "unknown TGA map depth",
)
SLACK = 1.02  # a decoder may round a size up


class Small(NamedTuple):
    picture: Image.Image  # RGB, (299, 299), upright
    width: int  # px of the original, as a person sees it
    height: int


@cache
def reader(format: str) -> Any:
    module, name = FORMATS[format]  # opened by class: PIL.Image.open would import five plug-ins to read one
    if format == "TIFF":
        vars(import_module(module))["READ_LIBTIFF"] = True  # Pillow's own reader takes planes of 16 bits for others
    return getattr(import_module(module), name)


def read_picture(format: str, header: Header) -> Small:
    """Raises ImageError, or MemoryError."""
    try:
        return _shrink(format, header)
    except (MemoryError, ImageError):
        raise
    except Exception as error:  # hostile bytes make Pillow raise nearly any type; only Pillow runs inside
        if format == "JPEG" and "truncated" in str(error):
            completed = _without_its_end(header)
            if completed:
                return completed
        if any(said in str(error) for said in NOT_READ):
            raise UnsupportedImage(
                f"the {format} image has an arrangement of samples that is not read: save it as RGB of 8 bits"
            ) from error
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise CorruptImage(f"the {format} image cannot be decoded ({said})") from error


def _shrink(format: str, header: Header) -> Small:
    picture = reader(format)(BytesIO(header.data))
    if picture.width * picture.height > header.width * header.height * SLACK:
        raise ImageOutOfBounds(
            f"the image says that it is {header.width} × {header.height} px and holds {picture.width} × "
            f"{picture.height}: save it anew"
        )
    profile = header.profile or picture.info.get("icc_profile")
    picture.draft(
        "RGB", (SIDE, SIDE)
    )  # big JPEGs are decoded at 1/2, 1/4 or 1/8 of their size, in a fraction of the time
    picture.load()
    whole = picture.crop(header.crop) if header.crop else picture
    whole = _on_nothing(picture, header.covered) if header.covered else whole
    size = (header.crop.right - header.crop.left, header.crop.bottom - header.crop.top) if header.crop else None
    small = _resizable(format, whole, header).resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return _turned(
        _opaque(_in_srgb(small, profile)), size or (header.width, header.height), _orientation(picture, header)
    )


def _on_nothing(picture: Image.Image, covered: Crop) -> Image.Image:
    """Leave transparent what no pixel covers, as browsers do: Pillow fills it with a colour that the file names."""
    canvas = Image.new("RGBA", picture.size)
    canvas.paste(picture.crop(covered).convert("RGBA"), covered[:2])
    return canvas


def _resizable(format: str, picture: Image.Image, header: Header) -> Image.Image:
    """Bring a picture to a mode in which neighbours can be averaged: L, RGB, RGBA, CMYK or LAB."""
    if picture.mode.startswith("I;16"):
        from model.decoding.depth import from_sixteen

        picture = from_sixteen(picture, header)
    elif picture.mode in {"I", "F"}:
        from model.decoding.wide import from_wide

        picture = from_wide(picture, header)
    elif header.signed and picture.mode == "L":
        from model.decoding.depth import from_signed

        picture = from_signed(picture, header)
    elif header.levels and len(header.levels) == len(picture.getbands()):
        picture = picture.point([min(255, round(v * 255 / most)) for most in header.levels for v in range(256)])
    elif format in SIXTEEN_BIT_COLOURS and header.bits == 16 and picture.mode in {"RGB", "RGBA", "CMYK"}:
        from model.decoding.depth import from_dark

        picture = from_dark(picture, header, reader(format))
    if picture.has_transparency_data:
        picture = picture.convert("LA") if picture.mode == "La" else picture
        picture = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        unused = header.unused_alpha and picture.getchannel("A").getextrema() == (0, 0)
        return picture.convert("RGB") if unused or header.no_alpha else picture
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in RESIZED_AS_THEY_ARE else picture.convert("RGB")


def _in_srgb(small: Image.Image, profile: bytes | None) -> Image.Image:
    if small.mode == "LAB" or (profile and not is_srgb(profile)):
        from model.decoding.colour import to_srgb

        return to_srgb(small, profile)
    return small


def _opaque(small: Image.Image) -> Image.Image:
    if small.mode == "RGBA":
        return Image.alpha_composite(Image.new("RGBA", small.size, BACKGROUND), small).convert("RGB")
    return small if small.mode == "RGB" else small.convert("RGB")


def _orientation(picture: Image.Image, header: Header) -> int:
    if header.orientation is not None:
        return header.orientation
    exif = picture.info.get("exif")
    raw = next((picture.info[name] for name in RAW_PROFILES if name in picture.info), None)
    if exif is None and raw:
        with suppress(ValueError):  # a line of its name, one of its length, then hexadecimal digits
            exif = bytes.fromhex("".join(raw.split("\n")[3:]))
    return orientation_of(exif, picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp"))


def _turned(small: Image.Image, size: tuple[int, int], orientation: int) -> Small:
    if orientation in UPRIGHT:
        small = small.transpose(UPRIGHT[orientation])
    width, height = size[::-1] if orientation in SIDEWAYS else size
    return Small(small, width, height)


def _without_its_end(header: Header) -> Small | None:
    """Read a JPEG that lacks its last bytes, if no pixel is in them.

    libjpeg makes up what is missing from whatever follows: where two different continuations give the same picture,
    nothing was missing.
    """
    from dataclasses import replace

    from model.decoding.scans import has_all_scans

    if header.cost > MOST_TWICE or not has_all_scans(header.data):
        return None
    found = []
    for continuation in (b"", bytes(range(1, 255)) * 256):
        with suppress(Exception):
            found.append(
                _shrink("JPEG", replace(header, data=header.data.rstrip(b"\xff") + continuation + b"\xff\xd9"))
            )
    same = len(found) == 2 and found[0].picture.tobytes() == found[1].picture.tobytes()
    return found[0] if same else None
