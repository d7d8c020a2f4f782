"""What happens to each kind of image, found out by decoding one: `python -m tests.model.decoding.formats_table` prints docs/formats.md."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from model.errors import ImageError, ImageOutOfBounds, ImageTooLarge
from model.image import decode
from tests.model.decoding.edited import branded, cropped
from tests.model.decoding.hostile import chunk, encoded, jpeg, png_with, segment
from tests.model.decoding.test_code_points import BT2020, P3, named_in_avif, named_in_png, pq, srgb
from tests.model.decoding.test_code_points import PICTURE as COLOURS
from tests.model.decoding.test_colour import with_profile
from tests.model.decoding.test_jpeg2000 import of_depth, with_colour
from tests.model.decoding.test_png import RGB, RGB_ALPHA
from tests.model.decoding.test_png import written as png
from tests.model.decoding.test_tiff import written

NEAR = 6  # of 255, mean difference to what is meant; lossy formats blur
LEVELS = np.add.outer(np.arange(64), np.arange(96)) % 32 * 255 / 31
PICTURE = Image.fromarray(np.stack([LEVELS, LEVELS[::-1], 255 - LEVELS], 2).astype(np.uint8))
GREY = Image.fromarray(LEVELS.astype(np.uint8))
SMOOTH = Image.linear_gradient("L").resize((96, 64)).convert("RGB")
HEIC = (Path(__file__).parents[1] / "four_colours.heic").read_bytes()
WHITE = Image.new("RGB", (96, 64), "white")

PAGE = """# What is read, and how

A test decodes one image of each kind below and writes this page (`python -m tests.model.decoding.formats_table`), so it is
what the code does. The bytes decide the format, never a file's name or a header. Every image becomes 299 × 299 RGB pixels
of 8 bits in sRGB. *read* means: within {near} of 255 of what is meant, on average.

| format | kind | what happens |
| --- | --- | --- |
{rows}
"""
AFTER = """
Beyond the table:

- **16-bit samples** that stay below 16,384 hold the 10, 12 or 14 bits of a sensor: the largest value becomes white. Below
  256 they are taken as 8 bits. Alpha and inks are as deep as colours are: 4,095 is opaque where they hold 12 bits. Colours of
  more than 80 million samples, and lossy ones, are read by their upper eight bits: 11 of 16 bits must be used there.
- **Alpha** that is 0 everywhere is taken for unused in BMP, TGA and, where no tag names it as alpha, TIFF.
- **32-bit integers and floats** have no range of their own: the 0.1st to the 99.9th percentile of the finite values is
  stretched to 0–255. NaN, infinities, magnitudes from 1e20, GDAL's no-data value, −9999 and its like do not count, nor does a
  least or largest value that is 16 times as far from all others as these are from each other.
- **Profiles** (ICC) are converted to sRGB by littleCMS, perceptually, after resizing. What a profile computes says whether
  it is sRGB's own, not its name. A broken profile is passed over. PNG's gAMA and cHRM are not read.
- **Colours by numbers** (`nclx` in AVIF and HEIC, `cICP` in PNG): BT.2020, Display P3, PQ, HLG and linear light become sRGB; all
  others are taken for it. White is 203 cd/m²; what is brighter in HDR becomes white.
- **CMYK in a JPEG** is taken as inverted, with or without Adobe's segment, as browsers and Pillow take it.
- **Damage** in pixels is refused where the decoder says so. Where it goes on without a word, `damage_of` in `model.image` tells
  training, which warns: bits that libjpeg lost (in TIFF, too), scans that a progressive JPEG lacks, rows that a PNG lacks,
  strips of a TIFF past its end or full of zeros, and runs of zeros in what AVIF, HEIC, LZW, deflate, a fax or the tables of a
  JPEG never code so. Of WebP nothing is told: a plain surface can be coded as thousands of zeros.
- What a decode may cost is in [reliability.md](reliability.md#decoding).
"""


@dataclass(frozen=True)
class Kind:
    format: str
    kind: str
    make: Callable[[], bytes]
    meant: Image.Image | None = None  # what it must look like; None where its being read at all is the point


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 3
    return encoded(SMOOTH.rotate(180), "JPEG", exif=exif, quality=95)


def _without_adobe(picture: Image.Image) -> bytes:
    data = encoded(picture, "JPEG", quality=95)
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]


def _ppm(samples: np.ndarray, most: int) -> bytes:
    return b"P6 %d %d %d\n" % (*samples.shape[1::-1], most) + samples.tobytes()


def _alpha(format: str, **options) -> bytes:
    picture = PICTURE.convert("RGBA")
    picture.putalpha(0)
    return encoded(picture, format, **options)


def _wide(kind: str, format: int, scale: float, **options: int) -> bytes:
    return written((LEVELS * scale).astype(kind), format=format, **options)


def _with_nan() -> bytes:
    samples = LEVELS.astype(np.float32)
    samples[5:7, 5:7] = np.nan
    samples[9, 9] = np.inf
    return written(samples, format=3)


def _with_alpha() -> np.ndarray:
    return np.dstack([np.asarray(PICTURE), np.full((64, 96), 255, np.uint8)])


def _deep(factor: int) -> np.ndarray:
    return _with_alpha().astype(np.uint16) * factor


def _inks() -> np.ndarray:
    return np.dstack([255 - np.asarray(PICTURE), np.zeros((64, 96))]).astype(np.uint16) * 16


def _unused() -> np.ndarray:
    return np.dstack([np.asarray(PICTURE), np.zeros((64, 96), np.uint8)])


KINDS = [
    Kind("JPEG", "baseline", lambda: encoded(SMOOTH, "JPEG", quality=95), SMOOTH),
    Kind("JPEG", "progressive", lambda: encoded(SMOOTH, "JPEG", progressive=True, quality=95), SMOOTH),
    Kind("JPEG", "grey", lambda: encoded(SMOOTH.convert("L"), "JPEG", quality=95), SMOOTH),
    Kind("JPEG", "CMYK", lambda: encoded(SMOOTH.convert("CMYK"), "JPEG", quality=95), SMOOTH),
    Kind("JPEG", "CMYK without an Adobe segment", lambda: _without_adobe(SMOOTH.convert("CMYK")), SMOOTH),
    Kind("JPEG", "turned by EXIF", _turned, SMOOTH),
    Kind("JPEG", "with a JFIF segment that is empty", lambda: jpeg()[:2] + segment(0xE0, b"") + jpeg()[20:]),
    Kind(
        "JPEG",
        "with a profile or an Adobe segment that is too short",
        lambda: jpeg()[:2] + segment(0xE2, b"ICC_PROFILE\0") + segment(0xEE, b"Adobe") + jpeg()[2:],
    ),
    Kind("JPEG", "without its last two bytes", lambda: encoded(SMOOTH, "JPEG", quality=95)[:-2], SMOOTH),
    Kind("JPEG", "cut off", lambda: encoded(PICTURE, "JPEG")[:-300]),
    Kind("PNG", "RGB", lambda: encoded(PICTURE, "PNG"), PICTURE),
    Kind("PNG", "palette", lambda: encoded(GREY.convert("P"), "PNG"), GREY),
    Kind("PNG", "transparent: white shows through", lambda: _alpha("PNG"), WHITE),
    Kind("PNG", "16-bit grey", lambda: encoded(Image.fromarray((LEVELS * 257).astype(np.uint16)), "PNG"), GREY),
    Kind("PNG", "12 bits in 16", lambda: encoded(Image.fromarray((LEVELS * 16).astype(np.uint16)), "PNG"), GREY),
    Kind("PNG", "RGB, 10 bits in 16", lambda: png(np.asarray(PICTURE) * 4.0, RGB), PICTURE),
    Kind("PNG", "RGB with alpha, 12 bits in 16", lambda: png(_with_alpha() * 16.0, RGB_ALPHA), PICTURE),
    Kind("PNG", "with a profile", lambda: encoded(PICTURE, "PNG", icc_profile=_profile()), PICTURE),
    Kind(
        "PNG", "colours of BT.2020 in PQ, by numbers", lambda: named_in_png(9, 16, BT2020, pq), Image.fromarray(COLOURS)
    ),
    Kind("PNG", "with 3 MB of text", lambda: png_with(chunk(b"tEXt", b"a\0" + b"b" * 3_000_000))),
    Kind("PNG", "a wrong checksum in its text", lambda: png_with(chunk(b"tEXt", b"a\0b")[:-1] + b"!")),
    Kind("PNG", "cut off", lambda: encoded(PICTURE, "PNG")[:-100]),
    Kind("WEBP", "lossy", lambda: encoded(SMOOTH, "WEBP", quality=95), SMOOTH),
    Kind("WEBP", "lossless", lambda: encoded(PICTURE, "WEBP", lossless=True), PICTURE),
    Kind("WEBP", "transparent: white shows through", lambda: _alpha("WEBP"), WHITE),
    Kind(
        "WEBP",
        "animated: its first frame",
        lambda: encoded(SMOOTH, "WEBP", save_all=True, append_images=[WHITE], lossless=True),
        SMOOTH,
    ),
    Kind("GIF", "still", lambda: encoded(GREY.convert("P"), "GIF"), GREY),
    Kind("GIF", "animated: its first frame", lambda: encoded(GREY, "GIF", save_all=True, append_images=[GREY]), GREY),
    Kind("GIF", "with a profile", lambda: with_profile(encoded(GREY.convert("P"), "GIF"), _profile()), GREY),
    Kind("BMP", "24 bits", lambda: encoded(PICTURE, "BMP"), PICTURE),
    Kind("BMP", "palette", lambda: encoded(GREY.convert("P"), "BMP"), GREY),
    Kind("TIFF", "RGB", lambda: encoded(PICTURE, "TIFF"), PICTURE),
    *(
        Kind("TIFF", f"RGB, {name}", partial(encoded, SMOOTH, "TIFF", compression=option), SMOOTH)
        for name, option in {
            "LZW": "tiff_lzw",
            "deflate": "tiff_adobe_deflate",
            "PackBits": "packbits",
            "JPEG": "jpeg",
            "Zstandard": "zstd",
            "LZMA": "lzma",
        }.items()
    ),
    Kind("TIFF", "RGB, JPEG 2000", lambda: written(np.asarray(PICTURE), compression=34712)),
    Kind("TIFF", "black and white, Group 4", lambda: encoded(GREY.convert("1"), "TIFF", compression="group4")),
    Kind("TIFF", "CMYK", lambda: encoded(SMOOTH.convert("CMYK"), "TIFF"), SMOOTH),
    Kind("TIFF", "BigTIFF, big-endian", lambda: written(np.asarray(PICTURE), big=True, order=">"), PICTURE),
    Kind(
        "TIFF", "16-bit RGB in planes", lambda: written(np.asarray(PICTURE).astype(np.uint16) * 257, planar=2), PICTURE
    ),
    Kind("TIFF", "grey with alpha, or CIELAB, in planes", lambda: written(_with_alpha()[..., 2:], planar=2)),
    Kind("TIFF", "16-bit RGB in planes that holds 10", lambda: written(_deep(4)[..., :3], planar=2), PICTURE),
    Kind("TIFF", "16-bit RGB with alpha that holds 12", lambda: written(_deep(16), extra=(2,)), PICTURE),
    Kind("TIFF", "16-bit CMYK that holds 12", lambda: written(_inks(), photometric=5), PICTURE),
    Kind("TIFF", "alpha that is 0 everywhere, and that no tag names", lambda: written(_unused()), PICTURE),
    Kind("TIFF", "16-bit RGB that holds 12", lambda: written(np.asarray(PICTURE).astype(np.uint16) * 16), PICTURE),
    Kind("TIFF", "16-bit grey", lambda: _wide("u2", 1, 257), GREY),
    Kind("TIFF", "16-bit grey, white is 0", lambda: written((65535 - LEVELS * 257).astype("u2"), photometric=0), GREY),
    Kind("TIFF", "signed 8-bit", lambda: written((LEVELS - 128).astype(np.int8), format=2), GREY),
    Kind("TIFF", "signed 8-bit, none negative", lambda: written((LEVELS / 2).astype(np.int8), format=2), GREY),
    Kind("TIFF", "signed 16-bit", lambda: _wide("i2", 2, 100), GREY),
    Kind("TIFF", "32-bit integers", lambda: _wide("i4", 2, 1e6), GREY),
    Kind("TIFF", "32-bit integers without a sign", lambda: _wide("u4", 1, 1.6e7), GREY),
    Kind("TIFF", "no tag says whether 0 is black", lambda: written(np.asarray(GREY), photometric=None), GREY),
    Kind("TIFF", "32-bit floats", lambda: _wide("f4", 3, 1e-3), GREY),
    Kind("TIFF", "32-bit floats with NaN and infinity", _with_nan, GREY),
    Kind("TIFF", "64-bit floats", lambda: _wide("f8", 3, 1)),
    Kind("TIFF", "32-bit floats, RGB", lambda: written(np.asarray(PICTURE).astype(np.float32), format=3)),
    Kind("AVIF", "still", lambda: encoded(SMOOTH, "AVIF", quality=95), SMOOTH),
    Kind("AVIF", "transparent: white shows through", lambda: _alpha("AVIF"), WHITE),
    Kind("AVIF", "of the brand mif1", lambda: branded(encoded(SMOOTH, "AVIF", quality=95), b"mif1", b"avif"), SMOOTH),
    Kind("AVIF", "of the brands mif1 and miaf", lambda: branded(encoded(SMOOTH, "AVIF"), b"mif1", b"miaf"), SMOOTH),
    Kind("AVIF", "cropped", lambda: cropped(encoded(Image.new("RGB", (64, 64), "red"), "AVIF"), 32, 64, 0, 0)),
    Kind(
        "AVIF",
        "colours of BT.2020 in PQ, by numbers",
        lambda: named_in_avif(9, 16, BT2020, pq),
        Image.fromarray(COLOURS),
    ),
    Kind(
        "AVIF", "colours of Display P3, by numbers", lambda: named_in_avif(12, 13, P3, srgb), Image.fromarray(COLOURS)
    ),
    Kind("HEIC", "still", lambda: HEIC),
    Kind("JP2", "JPEG 2000", lambda: encoded(SMOOTH, "JPEG2000"), SMOOTH),
    Kind(
        "JP2", "grey of 9 to 16 bits", lambda: encoded(Image.fromarray((LEVELS * 257).astype("u2")), "JPEG2000"), GREY
    ),
    Kind("JP2", "with a profile", lambda: with_colour(SMOOTH, b"\2\0\0" + _profile()), SMOOTH),
    Kind("JP2", "colours of more than 8 bits", lambda: of_depth(SMOOTH, 12)),
    Kind("JP2", "CIELab", lambda: with_colour(SMOOTH, b"\1\0\0\0\0\0\x0e")),
    Kind("PNM", "PBM, PGM and PPM", lambda: encoded(PICTURE, "PPM"), PICTURE),
    Kind("PNM", "PPM of 255 levels", lambda: _ppm(np.asarray(PICTURE.point(lambda v: v * 254 / 255)), 254), PICTURE),
    Kind(
        "PNM",
        "16-bit PPM that holds 12",
        lambda: _ppm((np.asarray(PICTURE) * np.uint16(16)).astype(">u2"), 65535),
        PICTURE,
    ),
    Kind("PNM", "colour PFM", lambda: b"PF\n2 2\n-1.0\n" + bytes(48)),
    Kind("TGA", "with or without run lengths", lambda: encoded(PICTURE, "TGA", compression="tga_rle"), PICTURE),
    Kind("JPEG XL", "", lambda: b"\xff\x0a" + bytes(40)),
    Kind("PSD", "", lambda: b"8BPS\0\1" + bytes(40)),
    Kind("SVG", "", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    Kind("ICO", "", lambda: b"\0\0\1\0\1\0\x10\x10" + bytes(40)),
    Kind("camera raw", "DNG, NEF, ARW, CR2, CR3, RAF, RW2, ORF …", lambda: b"II*\0\x10\0\0\0CR\2\0" + bytes(40)),
    Kind("EPS", "", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n"),
    Kind("EMF", "", lambda: b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(40)),
    Kind("XBM", "", lambda: b"#define a_width 16\n#define a_height 16\n"),
    Kind("WBMP", "", lambda: b"\0\0\x20\x20" + bytes(128)),
    Kind("MNG", "", lambda: b"\x8aMNG\r\n\x1a\n" + bytes(40)),
    Kind("JNG", "", lambda: b"\x8bJNG\r\n\x1a\n" + bytes(40)),
    Kind("OpenEXR", "", lambda: b"\x76\x2f\x31\x01" + bytes(40)),
    Kind("no image", "text, PDF, archives …", lambda: b"%PDF-1.7"),
    Kind("any", "more than 20 MB", lambda: bytes(21 * 2**20)),
    Kind("any", "more than 50 megapixels", lambda: encoded(Image.new("1", (9_000, 9_000)), "PNG")),
    Kind("any", "a side of less than 16 px", lambda: encoded(Image.new("1", (15, 99)), "PNG")),
]


def outcome(kind: Kind) -> str:
    try:
        found = decode(kind.make()).tensor.astype(int)
    except (ImageOutOfBounds, ImageTooLarge) as error:
        return f"refused: {error}"
    except ImageError as error:
        return f"refused: {str(error).partition('; send')[0].partition(': send')[0]}"
    if kind.meant is None:
        return "read"
    meant = decode(encoded(kind.meant.convert("RGB"), "PNG")).tensor
    return "read" if np.abs(found - meant).mean() < NEAR else "MISREAD"


def page() -> str:
    rows = "\n".join(f"| {kind.format} | {kind.kind} | {outcome(kind)} |" for kind in KINDS)
    return PAGE.format(near=NEAR, rows=rows) + AFTER


if __name__ == "__main__":
    print(page(), end="")
