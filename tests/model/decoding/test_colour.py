"""What leaves is sRGB, whatever colours the file is written in."""

import struct
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from model.decoding.srgb import is_srgb
from model.image import decode
from tests.model.decoding.hostile import chunk, encoded, png_with

# Of the press's picture 6.6 is the least of littleCMS's four intents, with and without black points: it was written by
# relative colorimetry, which took from its shadows what ink does not show.
CASES = {"icc_p3.png": 1, "icc_adobergb.png": 1, "icc_swop.jpg": 7, "big_iccp.png": 1}


@pytest.mark.parametrize("name", CASES)
def test_colours_of_a_profile_are_those_of_the_truth(name: str, training_cases: Path) -> None:
    truth = decode((training_cases / "ref.png").read_bytes()).tensor.astype(int)
    found = decode((training_cases / name).read_bytes()).tensor
    assert np.abs(found - truth).mean() < CASES[name]


def test_xyb_is_a_picture(training_cases: Path) -> None:
    found = decode((training_cases / "real_icc_xyb.jpg").read_bytes()).tensor.astype(int)
    sky, coat = found[20:60, 20:280].mean((0, 1)), found[150:200, 100:180].mean((0, 1))
    assert sky[0] > sky[2] + 30  # a field of straw; taken for RGB it would be green
    assert coat[2] > coat[0] + 40  # behind a blue coat


@cache
def adobe(training_cases: Path) -> bytes:
    with Image.open(training_cases / "icc_adobergb.png") as picture:
        return picture.info["icc_profile"]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_every_format_that_carries_a_profile_is_converted(format: str, training_cases: Path) -> None:
    green = Image.new("RGB", (64, 64), (60, 200, 60))
    options = {} if format in {"PNG", "TIFF"} else {"quality": 95}
    data = encoded(green, format, icc_profile=adobe(training_cases), **options)
    assert decode(data).tensor[150, 150, 0] < 20  # AdobeRGB's green is beyond sRGB's: less red remains
    assert decode(encoded(green, format, **options)).tensor[150, 150, 0] > 50


def test_transparency_is_kept_through_a_profile(training_cases: Path) -> None:
    clear = Image.new("RGBA", (64, 64), (60, 200, 60, 0))
    assert (decode(encoded(clear, "PNG", icc_profile=adobe(training_cases))).tensor == 255).all()


def test_a_profile_of_another_kind_of_colours_is_left_out() -> None:
    grey = Image.new("L", (64, 64), 128)
    assert decode(encoded(grey, "PNG", icc_profile=profile())).tensor[0, 0, 0] == 128
    red = Image.new("RGB", (64, 64), (128, 0, 0))
    assert (decode(encoded(red, "PNG", icc_profile=profile(space=b"GRAY", curve=gamma(1)))).tensor == (128, 0, 0)).all()


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_a_grey_profile_is_applied(mode: str) -> None:
    grey = Image.new("L", (64, 64), 128 if mode != "1" else 255).convert(mode)
    found = decode(encoded(grey, "PNG", icc_profile=profile(space=b"GRAY", curve=gamma(1)))).tensor
    assert abs(int(found[0, 0, 0]) - (255 if mode == "1" else 188)) < 2  # half of the light is 188 in sRGB


def gamma(value: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256)) + bytes(2)


SRGB_CURVE = b"para" + struct.pack(
    ">IHH5i", 0, 3, 0, *(round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)
SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))


def profile(name: bytes = b"", space: bytes = b"RGB ", curve: bytes = SRGB_CURVE, primaries=SRGB) -> bytes:
    """An ICC profile of version 4: a matrix and a curve, and whatever it is called."""

    def xyz(values: tuple[float, ...]) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in values))

    tags = {b"wtpt": xyz((0.9642, 1.0, 0.8249)), b"desc": b"text" + bytes(4) + name.ljust(100, b"\0")}
    if space == b"GRAY":
        tags |= {b"kTRC": curve}
    else:
        tags |= {band + b"XYZ": xyz(values) for band, values in zip((b"r", b"g", b"b"), primaries, strict=True)}
        tags |= {band + b"TRC": curve for band in (b"r", b"g", b"b")}
    start, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = (
        struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x04200000, b"mntr", space, b"XYZ ")
        + bytes(12)
        + b"acsp"
    )
    return head.ljust(68, b"\0") + xyz((0.9642, 1.0, 0.8249))[8:] + bytes(48) + table + body


@pytest.mark.parametrize("name", [b"sRGB", "sRGB IEC61966-2.1".encode("utf-16-be"), b"made with sRGB in mind"])
def test_what_a_profile_computes_decides_and_not_its_texts(name: bytes) -> None:
    picture = Image.new("RGB", (64, 64), (60, 200, 60))
    for options, differs in (({}, False), ({"primaries": P3}, True), ({"curve": gamma(1)}, True)):
        found = decode(encoded(picture, "PNG", icc_profile=profile(name, **options))).tensor[9, 9]
        assert ((found != (60, 200, 60)).any()) is np.bool_(differs), options


@pytest.mark.parametrize("curve", [SRGB_CURVE, gamma(2.2), gamma(1)])
def test_a_profile_without_a_name_is_taken_for_srgb_only_if_it_computes_it(curve: bytes) -> None:
    assert is_srgb(profile(curve=curve)) is (curve is SRGB_CURVE)


def with_profile(data: bytes, profile: bytes) -> bytes:
    """The same GIF with an ICC profile in front of its picture."""
    start = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    blocks = b"".join(bytes([len(profile[i : i + 255])]) + profile[i : i + 255] for i in range(0, len(profile), 255))
    return data[:start] + b"!\xff\x0bICCRGBG1012" + blocks + b"\0" + data[start:]


def test_the_profile_of_a_gif_is_applied() -> None:
    data = encoded(Image.new("RGB", (64, 64), (60, 200, 60)), "GIF")
    found = decode(with_profile(data, profile(curve=gamma(1))))
    assert found.tensor[9, 9, 0] > 120


@pytest.mark.parametrize("profile", [b"", b"no profile", bytes(3000), b"\0" * 16 + b"RGB " + bytes(200)])
def test_a_broken_profile_does_not_make_a_sound_picture_unreadable(profile: bytes) -> None:
    assert decode(encoded(Image.new("RGB", (64, 64), "red"), "JPEG", icc_profile=profile)).tensor[5, 5, 0] > 250
    assert decode(png_with(chunk(b"iCCP", b"x\0\0" + profile))).format == "PNG"


def test_lab_is_read() -> None:
    lab = Image.merge("LAB", [Image.new("L", (64, 64), level) for level in (200, 128, 128)])
    found = decode(encoded(lab, "TIFF")).tensor[9, 9].astype(int)
    assert np.ptp(found) < 4
    assert 180 < found[0] < 210


def test_srgb_needs_no_conversion() -> None:
    buffer = BytesIO()
    Image.new("RGB", (64, 64), (1, 2, 3)).save(
        buffer, "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    )
    assert (decode(buffer.getvalue()).tensor == (1, 2, 3)).all()


def test_the_profile_of_a_bmp_is_applied() -> None:
    pixels = bytes((60, 200, 60)) * 64 * 64
    linear = profile(curve=gamma(1))
    head = struct.pack("<IiiHHI", 124, 64, 64, 1, 24, 0).ljust(56, b"\0") + b"DEBM"
    head = head.ljust(112, b"\0") + struct.pack("<II", 124 + len(pixels), len(linear)) + bytes(4)
    data = b"BM" + struct.pack("<IHHI", 14 + 124 + len(pixels), 0, 0, 14 + 124) + head + pixels + linear
    assert decode(data).tensor[9, 9, 0] > 120
    assert decode(data.replace(b"DEBM", b"BGRs")).tensor[9, 9, 0] == 60
