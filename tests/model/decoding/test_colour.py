"""What leaves is sRGB, whatever colours the file is written in."""

from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

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


def test_a_grey_profile_is_applied() -> None:
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    grey = Image.new("L", (64, 64), 128)
    assert (
        decode(encoded(grey, "PNG", icc_profile=linear)).tensor[0, 0, 0] == 128
    )  # of another kind of colours: left out


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
