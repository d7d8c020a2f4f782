"""Formats are told by their bytes; images that are not read are named."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.errors import CorruptImage, UnreadFormat, UnsupportedImage
from model.image import FORMATS, decode, image_format
from tests.model.decoding.edited import branded
from tests.model.decoding.hostile import avif, encoded

PICTURE = Image.linear_gradient("L").resize((96, 64)).convert("RGB")
HEIC = (Path(__file__).parents[1] / "four_colours.heic").read_bytes()


@pytest.mark.parametrize(
    ("major", "others", "format"),
    [
        (b"avif", (b"mif1", b"miaf"), "AVIF"),
        (b"mif1", (b"miaf", b"avif"), "AVIF"),
        (b"miaf", (b"avif",), "AVIF"),
        (b"mif1", (b"avif", b"heic"), "AVIF"),
        (b"MA1B", (b"avif",), "AVIF"),
        (b"mif1", (b"heic",), "HEIC"),
        (b"mif1", (), "AVIF"),
        (b"mif1", (b"mif1", b"miaf"), "AVIF"),
        (b"msf1", (), "AVIF"),
        (b"miaf", (), "AVIF"),
    ],
)
def test_compatible_brands_decide(major: bytes, others: tuple[bytes, ...], format: str) -> None:
    assert image_format(branded(avif(), major, *others)) == format


@pytest.mark.parametrize("brand", [b"mif1", b"msf1", b"miaf"])
@pytest.mark.parametrize("codec", [b"hvc1", b"hev1"])
def test_where_brands_say_nothing_the_items_decide(brand: bytes, codec: bytes) -> None:
    plain = branded(avif(), brand, b"mif1", b"miaf")
    assert decode(plain).format == "AVIF"
    assert image_format(plain.replace(b"av01", codec)) == "HEIC"
    assert decode(branded(HEIC, brand, b"mif1", b"miaf")).format == "HEIC"


def test_a_codec_that_is_not_read_is_named_as_one() -> None:
    with pytest.raises(UnreadFormat, match="codec that is not read"):
        image_format(branded(avif(), b"mif1", b"miaf").replace(b"av01", b"j2k1"))


def test_an_avif_is_read_under_any_brand() -> None:
    for major, others in ((b"mif1", (b"avif", b"miaf")), (b"miaf", (b"avif",))):
        assert decode(branded(avif(), major, *others)).format == "AVIF"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"8BPS\0\1" + bytes(40), "PSD"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\1\0\1\0\x10\x10", "ICO"),
        (b"<?xml version='1.0'?>\n<!-- a -->\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<svg/>", "SVG"),
        (b"II*\0\x10\0\0\0CR\2\0", "CR2"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "CR3"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"IIU\0\x18\0\0\0", "RW2"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"\x76\x2f\x31\x01", "OpenEXR"),
        (b"#?RADIANCE\n", "Radiance"),
        (b"DDS \x7c\0\0\0", "DDS"),
        (b"qoif", "QOI"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"gimp xcf v011", "XCF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "video"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "EPS"),
        (b"\xc5\xd0\xd3\xc6" + bytes(26), "EPS"),
        (b"\1\0\0\0\x6c\0\0\0" + bytes(32) + b" EMF" + bytes(60), "EMF"),
        (b"#define a_width 16\n#define a_height 16\nstatic char a_bits[] = {", "XBM"),
        (b"/* made by hand */\n#define width 9\n#define height 9\n", "XBM"),
        (b"\0\0\x20\x20" + bytes(128), "WBMP"),
        (b"\0\0\x81\x00\x20" + bytes(512), "WBMP"),
        (b"\x8aMNG\r\n\x1a\n" + bytes(40), "MNG"),
        (b"\x8bJNG\r\n\x1a\n" + bytes(40), "JNG"),
        (b"PF\n2 2\n-1.0\n" + bytes(48), "colour PFM"),
    ],
)
def test_images_that_are_not_read_are_named(data: bytes, name: str) -> None:
    with pytest.raises(UnreadFormat, match=name):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"hello, world",
        b"{}",
        b"%PDF-1.7",
        b"PK\3\4",
        bytes(200),
        b"P5 is a prime",
        b"<html></html>",
        b"%!PS-Adobe-3.0\n",
        b"#define width 9\nint main() {}",
        b"PF is not one either",
        b"/**/" * 1024 + b"int main() {}",
        b"\0\0\x20\x20" + bytes(90),
    ],
)
def test_what_is_no_image_is_not_called_one(data: bytes) -> None:
    with pytest.raises(UnsupportedImage) as refusal:
        image_format(data)
    assert not isinstance(refusal.value, UnreadFormat)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
@pytest.mark.parametrize("options", [{}, {"compression": "tga_rle"}])
def test_tga_is_told_by_its_header(mode: str, options: dict) -> None:
    picture = PICTURE.convert(mode)
    data = encoded(picture, "TGA", **options)
    for tga in (data, data[:-26]):  # with the footer of 1989, and without
        assert np.abs(decode(tga).tensor.astype(int) - decode(encoded(picture, "PNG")).tensor).mean() < 1


@pytest.mark.parametrize("depth", [255, 1000, 4095, 65535])
@pytest.mark.parametrize("kind", [b"P2", b"P3", b"P5", b"P6"])
def test_netpbm_of_any_depth(kind: bytes, depth: int) -> None:
    levels = np.asarray(PICTURE.convert("L")).astype(int) * depth // 255
    samples = levels if kind in b"P2 P5" else np.repeat(levels[..., None], 3, 2)
    if kind in b"P2 P3":
        pixels = b" ".join(b"%d" % value for value in samples.ravel())
    else:
        pixels = samples.astype(">u2" if depth > 255 else "u1").tobytes()
    data = kind + b"\n# a comment\n96 64\n%d\n" % depth + pixels
    assert np.abs(decode(data).tensor.astype(int) - decode(encoded(PICTURE, "PNG")).tensor).mean() < 4


@pytest.mark.parametrize(
    "format", sorted(set(FORMATS) - {"HEIC", "JP2"})
)  # of half a JPEG 2000 a less sharp picture is left
def test_half_a_file_is_damage(format: str) -> None:
    noise = Image.effect_noise((96, 64), 90).convert("RGB")
    data = encoded(noise, {"PNM": "PPM"}.get(format, format))
    with pytest.raises((CorruptImage, UnsupportedImage)):
        decode(data[: len(data) // 2])


def test_jpegs_without_their_last_bytes_are_read_if_no_pixel_is_in_them() -> None:
    for options in ({}, {"progressive": True}):
        data = encoded(Image.effect_noise((200, 300), 60).convert("RGB"), "JPEG", **options)
        for end in (-1, -2):
            assert (decode(data[:end]).tensor == decode(data).tensor).all()
        for end in (-40, -len(data) // 3, -len(data) // 2):
            with pytest.raises(CorruptImage):
                decode(data[:end])


def test_cases_of_training_are_read_or_named(training_cases: Path) -> None:
    truth = decode((training_cases / "ref.png").read_bytes()).tensor.astype(int)
    for name in ("big_ztxt.png", "bad_text_crc.png", "bgra_alpha0.bmp", "mif1.avif", "no_eoi.jpg", "x.jp2", "x.ppm"):
        assert np.abs(decode((training_cases / name).read_bytes()).tensor - truth).mean() < 6, name
    with pytest.raises(UnreadFormat, match="JPEG XL"):
        decode((training_cases / "x.jxl").read_bytes())


def test_sound_images_of_samples_that_are_not_read_are_not_called_broken() -> None:
    photo = encoded(PICTURE, "JPEG")
    frame = photo.index(b"\xff\xc0")
    twelve_bits = photo[: frame + 4] + b"\x0c" + photo[frame + 5 :]
    bitmap = encoded(PICTURE, "BMP")
    two_bits = bitmap[:28] + b"\2" + bitmap[29:]
    for data in (twelve_bits, two_bits):
        with pytest.raises(UnsupportedImage, match="an arrangement of samples that is not read"):
            decode(data)
    with pytest.raises(UnreadFormat, match="JPEG-LS"):
        decode(photo.replace(b"\xff\xc0", b"\xff\xf7"))


@pytest.mark.parametrize("transparent", [False, True])
def test_what_a_gifs_first_frame_leaves_free_is_white(transparent: bool) -> None:
    options = {"transparency": 255} if transparent else {}
    data = encoded(Image.new("P", (40, 30), 7), "GIF", background=7, **options)
    canvas = data[:6] + struct.pack("<HH", 80, 60) + data[10:]
    place = canvas.index(b",\0\0\0\0") + 1
    moved = canvas[:place] + struct.pack("<HH", 40, 0) + canvas[place + 4 :]
    found = decode(moved)
    assert (found.width, found.height) == (80, 60)
    assert found.tensor[10, 280].tolist() == decode(data).tensor[10, 280].tolist() != [255, 255, 255]
    assert found.tensor[10, 20].tolist() == found.tensor[280, 280].tolist() == [255, 255, 255]
