"""Files that decode without a word though some of them is missing, and sound ones that look like them."""

import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.errors import ImageError
from model.image import damage_of, decode
from tests.model.decoding.hostile import encoded, png, strip_tags, tiff
from tests.model.decoding.test_png import PASSES

NOISE = Image.effect_noise((240, 160), 60).convert("RGB").resize((480, 320), Image.Resampling.BICUBIC)
FLAT = {
    "white": Image.new("RGB", (600, 600), "white"),
    "black": Image.new("RGB", (600, 600)),
    "shades": Image.linear_gradient("L").resize((600, 600)).convert("RGB"),
    "stripes": Image.fromarray((np.indices((600, 600))[0] % 2 * 255).astype(np.uint8)).convert("RGB"),
}


def holed(data: bytes, size: int = 500) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(size) + data[middle + size :]


@pytest.mark.parametrize("interlaced", [0, 1])
def test_rows_that_a_png_lacks_are_missed(interlaced: int) -> None:
    samples = np.asarray(NOISE)
    parts = [samples[y::down, x::across] for y, x, down, across in PASSES] if interlaced else [samples]
    rows = [b"\0" + row.tobytes() for part in parts for row in part]

    def written(count: int) -> bytes:
        return png(480, 320, 8, 2, zlib.compress(b"".join(rows[:count])), b"", interlaced)

    assert damage_of(written(len(rows))) is None
    half = written(len(rows) // 2)
    assert decode(half).format == "PNG"
    assert "of its pixels are missing" in str(damage_of(half))


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_whole_pngs_of_each_kind_are_not_called_damaged(mode: str) -> None:
    grey = NOISE.convert("L")
    picture = Image.fromarray(np.asarray(grey).astype(np.uint16)) if mode == "I;16" else NOISE.convert(mode)
    assert damage_of(encoded(picture.resize((99, 33), Image.Resampling.NEAREST), "PNG")) is None


@pytest.mark.parametrize("after", [1, 2, 5])
def test_a_progressive_jpeg_that_was_closed_early_lacks_scans(after: int) -> None:
    data = encoded(NOISE, "JPEG", progressive=True)
    at = -1
    for _ in range(after + 1):
        at = data.index(b"\xff\xda", at + 1)
    closed = data[: data.rindex(b"\xff\xc4", 0, at)] + b"\xff\xd9"
    assert decode(closed).format == "JPEG"
    assert damage_of(closed) == "scans are missing"
    assert damage_of(data) is None


@pytest.mark.parametrize(
    ("compression", "picture", "said"),
    [
        ("jpeg", NOISE, "extraneous bytes|premature end"),
        ("group4", NOISE.convert("1"), "zeros"),
        ("tiff_adobe_deflate", NOISE, "zeros|broken"),
        ("tiff_lzw", NOISE, "zeros"),
    ],
)
def test_a_hole_in_a_strip_is_damage(compression: str, picture: Image.Image, said: str) -> None:
    data = encoded(picture, "TIFF", compression=compression)
    assert damage_of(data) is None
    assert re.search(said, str(damage_of(holed(data))))


def test_a_strip_past_the_end_of_the_file_is_damage() -> None:
    data = tiff(strip_tags(96, 64, 8, 3, 1000), bytes(500))
    assert "past the end" in str(damage_of(data))


def test_a_hole_in_an_avif_is_damage() -> None:
    data = encoded(NOISE, "AVIF", quality=90)
    assert damage_of(data) is None
    assert "zeros" in str(damage_of(holed(data)))


def test_zeros_in_the_metadata_of_an_avif_are_not() -> None:
    exif = Image.Exif()
    exif[0x010E] = "\0" * 5000
    assert damage_of(encoded(NOISE, "AVIF", exif=exif)) is None


@pytest.mark.parametrize("name", FLAT)
def test_flat_pictures_are_not_called_damaged(name: str) -> None:
    picture = FLAT[name]
    sound = [encoded(picture, "AVIF", quality=q, speed=10) for q in (50, 100)]
    sound += [encoded(picture, "JPEG", **options) for options in ({"progressive": True}, {"optimize": True})]
    sound += [encoded(picture, "TIFF", compression=c) for c in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")]
    sound += [encoded(picture.convert("1"), "TIFF", compression=c) for c in ("group3", "group4")]
    sound += [encoded(picture, format) for format in ("PNG", "WEBP", "GIF", "BMP", "PPM")]
    assert [said for said in map(damage_of, sound) if said] == []


def test_a_heic_is_not_called_damaged() -> None:
    assert damage_of((Path(__file__).parents[1] / "four_colours.heic").read_bytes()) is None


def test_real_odd_images_are_not_called_damaged(shared_data: Path) -> None:
    called = []
    for path in sorted(path for path in shared_data.glob("odd_images/*/*") if path.is_file()):
        data = path.read_bytes()
        try:
            decode(data)
        except ImageError:
            continue
        called += [path.name] if damage_of(data) else []
    assert called == []
