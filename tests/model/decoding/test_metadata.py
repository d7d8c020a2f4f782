"""What a file says beside its pixels: orientation and crops count, text and profiles do not, and damage there is passed over."""

import struct

import numpy as np
import pytest
from PIL import Image

from model.errors import CorruptImage
from model.image import decode, pixels_digest
from tests.model.decoding.edited import cropped
from tests.model.decoding.hostile import PNG, chunk, encoded, jpeg, png_with, segment, zeros

PICTURE = Image.linear_gradient("L").resize((96, 64)).convert("RGB")


def test_jfif_segments_without_fields_are_left_out() -> None:
    for odd in (b"", b"JFIF", b"JFIF\0", b"JFIF\0\1"):
        data = jpeg()[:2] + segment(0xE0, odd) + jpeg()[20:]
        assert decode(data).format == "JPEG"


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"tIME", b"gAMA", b"pHYs", b"eXIf", b"iCCP", b"prVt"])
def test_a_wrong_checksum_in_what_is_not_pixels_is_passed_over(kind: bytes) -> None:
    wrong = chunk(kind, b"a\0b")[:-1] + b"!"
    assert decode(png_with(wrong)).format == "PNG"


@pytest.mark.parametrize("kind", [b"PLTE", b"IHDR"])
def test_a_wrong_checksum_in_what_pixels_need_is_damage(kind: bytes) -> None:
    data = encoded(PICTURE.convert("P"), "PNG")
    at = data.index(kind)
    end = at + 4 + struct.unpack(">I", data[at - 4 : at])[0]
    with pytest.raises(CorruptImage):
        decode(data[:end] + bytes(4) + data[end + 4 :])


def test_a_text_or_profile_of_megabytes_does_not_matter() -> None:
    text = chunk(b"tEXt", b"a\0" + b"b" * 3_000_000) + chunk(b"zTXt", b"a\0\0" + zeros(3_000_000))
    assert decode(png_with(text)).format == "PNG"


def test_orientation_is_found_wherever_it_is_written() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(PICTURE, "PNG", exif=exif)
    raw = b"\nexif\n      %d\n" % len(exif.tobytes()) + exif.tobytes().hex().encode() + b"\n"
    plain = encoded(PICTURE, "PNG")
    texts = [chunk(b"tEXt", b"Raw profile type " + name + b"\0" + raw) for name in (b"exif", b"APP1")]
    magick = [plain[:33] + text + plain[33:] for text in texts]
    prefixed = plain[:33] + chunk(b"eXIf", b"Exif\0\0" + exif.tobytes()) + plain[33:]
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    spellings = (xmp, xmp.replace(b'="6"', b" = '6'"))
    adobe = [plain[:33] + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text) + plain[33:] for text in spellings]
    photo = encoded(PICTURE, "JPEG", quality=95)
    in_jpeg = photo[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp) + photo[2:]
    second = photo[:2] + segment(0xE1, b"Exif\0\0") + segment(0xE1, exif.tobytes()) + photo[2:]
    tiff = encoded(PICTURE, "TIFF", tiffinfo={274: 6})
    webp = encoded(PICTURE, "WEBP", lossless=True, exif=exif)
    jpegs = (in_jpeg, second, encoded(PICTURE, "JPEG", exif=exif, quality=95))
    for data in (turned, *magick, prefixed, *adobe, *jpegs, tiff, webp):
        found = decode(data)
        assert (found.width, found.height) == (64, 96)
        assert np.abs(found.tensor.astype(int) - decode(turned).tensor).mean() < 2


def test_what_an_avif_crops_is_left_out() -> None:
    picture = Image.new("RGB", (64, 64), "blue")
    picture.paste("red", (0, 0, 32, 64))
    data = cropped(encoded(picture, "AVIF", quality=95), 32, 64, -16, 0)
    found = decode(data)
    assert (found.width, found.height) == (32, 64)
    assert found.tensor[..., 0].mean() > 240
    assert found.tensor[..., 2].mean() < 20


def test_a_picture_is_its_pixels_and_not_its_metadata() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    plain, commented = encoded(PICTURE, "PNG"), encoded(PICTURE, "PNG", exif=exif)
    assert (
        pixels_digest(decode(plain))
        == pixels_digest(decode(commented))
        == pixels_digest(decode(encoded(PICTURE, "BMP")))
    )
    assert pixels_digest(decode(plain)) != pixels_digest(decode(encoded(PICTURE.rotate(180), "PNG")))
    assert len(pixels_digest(decode(PNG + plain[8:]))) == 64


@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE])
@pytest.mark.parametrize(
    "name", [b"JFIF\0", b"ICC_PROFILE\0", b"Adobe", b"Exif\0\0", b"Photoshop 3.0\0", b"MPF\0", b"FPXR\0"]
)
def test_segments_that_lack_their_fields_are_passed_over(marker: int, name: bytes) -> None:
    for length in range(len(name) + 3):
        short = segment(marker, name[:length].ljust(length, b"\1"))
        assert (decode(jpeg()[:2] + short + jpeg()[2:]).tensor == decode(jpeg()).tensor).all()
