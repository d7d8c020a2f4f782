from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from model.errors import CorruptImage, ImageError, ImageOutOfBounds, ImageTooLarge, UnreadFormat, UnsupportedImage
from model.image import FORMATS, MAGIC, Limits, decode, image_format

ENCODERS = {name: {"JP2": "JPEG2000", "PNM": "PPM"}.get(name, name) for name in FORMATS if name != "HEIC"}
RAMP = np.linspace(0, 255, 64 * 48).reshape(48, 64)


def encoded(picture: Image.Image, format: str, **options) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def photo(width: int = 64, height: int = 48) -> Image.Image:
    """A picture in which every corner differs, so a wrong turn shows."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (230, 40, 30)
    pixels[: height // 2, width // 2 :] = (40, 200, 60)
    pixels[height // 2 :, : width // 2] = (30, 60, 220)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("format", sorted(set(FORMATS) - {"HEIC"}))
def test_every_format_gives_the_same_picture(format: str) -> None:
    found = decode(encoded(photo(), ENCODERS[format]))
    assert (found.format, found.width, found.height) == (format, 64, 48)
    assert found.tensor.shape == (299, 299, 3)
    assert found.tensor.dtype == np.uint8
    reference = decode(encoded(photo(), "PNG")).tensor.astype(int)
    assert np.abs(found.tensor - reference).mean() < 6  # lossy formats blur the edges


def test_heic_from_a_phone_is_read() -> None:
    data = (Path(__file__).parent / "four_colours.heic").read_bytes()
    assert decode(data).format == "HEIC"
    assert np.abs(decode(data).tensor.astype(int) - decode(encoded(photo(), "PNG")).tensor).mean() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int) -> None:
    upright = photo()
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what a camera held that way would have stored
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = decode(encoded(stored, "PNG", exif=exif))
    assert (found.width, found.height) == (64, 48)
    assert np.abs(found.tensor.astype(int) - decode(encoded(upright, "PNG")).tensor).max() <= 1


def test_transparency_shows_white() -> None:
    clear = Image.new("RGBA", (32, 32), (200, 0, 0, 0))
    assert (decode(encoded(clear, "PNG")).tensor == 255).all()


def test_a_palette_with_a_transparent_colour_shows_white_there() -> None:
    picture = Image.new("P", (32, 32), 1)
    picture.putpalette([0, 0, 0, 10, 200, 10])
    assert (decode(encoded(picture, "PNG", transparency=1)).tensor == 255).all()
    assert (decode(encoded(picture, "PNG")).tensor == (10, 200, 10)).all()


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    eight = decode(encoded(Image.fromarray(RAMP.astype(np.uint8)), "PNG")).tensor.astype(int)
    sixteen = decode(encoded(Image.fromarray((RAMP * 257).astype(np.uint16)), "PNG")).tensor
    assert np.abs(eight - sixteen).max() <= 1


def test_floating_point_pixels_are_stretched_over_the_whole_range() -> None:
    found = decode(encoded(Image.fromarray(RAMP.astype(np.float32) / 1000 - 3), "TIFF")).tensor
    assert found.min() <= 2
    assert found.max() >= 253


def test_grey_and_cmyk_become_rgb() -> None:
    grey = decode(encoded(photo().convert("L"), "JPEG", quality=95)).tensor
    assert np.ptp(grey, axis=2).max() <= 2
    cmyk = decode(encoded(photo().convert("CMYK"), "JPEG", quality=95)).tensor
    assert np.abs(cmyk.astype(int) - decode(encoded(photo(), "PNG")).tensor).mean() < 6


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (decode(data).tensor == (255, 0, 0)).all()


def test_a_large_jpeg_looks_the_same_decoded_at_a_reduced_scale() -> None:
    smooth = Image.effect_mandelbrot((2400, 1800), (-2, -1.2, 0.8, 1.2), 40).convert("RGB")
    reduced = decode(encoded(smooth, "JPEG", quality=95)).tensor.astype(int)
    whole = decode(encoded(smooth, "PNG")).tensor
    assert np.abs(reduced - whole).mean() < 2


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        (b"", UnsupportedImage, "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedImage, "JPEG"),
        (encoded(photo(), "PNG")[:-60], CorruptImage, "PNG"),
        (encoded(photo(), "JPEG")[:-200], CorruptImage, "JPEG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), CorruptImage, "PNG"),
        (encoded(Image.new("1", (9000, 9000)), "PNG"), ImageOutOfBounds, "9000 × 9000"),
        (encoded(Image.new("L", (500, 500)), "GIF")[:13] + b"!", CorruptImage, "GIF"),
        (encoded(photo(64, 8), "PNG"), ImageOutOfBounds, "16 px"),
        (bytes(21 * 2**20), ImageTooLarge, "20,971,520"),
    ],
)
def test_bad_input_raises_an_error_that_names_what_is_wrong(data: bytes, error: type[ImageError], says: str) -> None:
    with pytest.raises(error, match=says):
        decode(data)


def test_limits_are_the_callers_to_set() -> None:
    with pytest.raises(ImageOutOfBounds):
        decode(encoded(photo(), "PNG"), Limits(max_pixels=1000))


@given(st.binary(max_size=400), st.sampled_from([b"", b"RIFF0000WEBP", b"0000ftypavif", b"0000ftypheic", *MAGIC]))
def test_any_bytes_give_a_tensor_or_one_of_our_errors(noise: bytes, magic: bytes) -> None:
    try:
        found = decode(magic + noise)
    except ImageError as error:
        assert str(error)
    else:
        assert found.tensor.shape == (299, 299, 3)
        assert found.tensor.dtype == np.uint8


@given(st.sampled_from(sorted(ENCODERS.values())), st.data())
def test_any_damage_gives_a_tensor_or_one_of_our_errors(format: str, data: st.DataObject) -> None:
    sound = bytearray(encoded(photo(), format))
    for _ in range(data.draw(st.integers(1, 4))):
        sound[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(sound[: data.draw(st.integers(0, len(sound)))])
    try:
        assert decode(cut).tensor.shape == (299, 299, 3)
    except ImageError as error:
        assert str(error)


def test_odd_images_of_the_wild_decode_or_are_refused_by_name(shared_data: Path) -> None:
    refused = {
        "broken.png": CorruptImage,
        "broken_data_stream.png": CorruptImage,
        "decompression_bomb.gif": ImageOutOfBounds,
        "truncated_image.png": CorruptImage,
        "7x13.png": ImageOutOfBounds,
        "bw_gradient.png": ImageOutOfBounds,
        "no_palette_after_rgb.gif": ImageOutOfBounds,
        "decompression_bomb.ico": UnreadFormat,
        "LICENSE": UnsupportedImage,
    }
    for path in sorted((shared_data / "odd_images").rglob("*.*")):
        if path.name in refused:
            with pytest.raises(refused[path.name]):
                decode(path.read_bytes())
        else:
            assert decode(path.read_bytes()).tensor.shape == (299, 299, 3), path.name


def test_every_real_exif_orientation_shows_the_same_landscape(shared_data: Path) -> None:
    found = [decode((shared_data / f"odd_images/exif/Landscape_{i}.jpg").read_bytes()) for i in range(9)]
    assert {(image.width, image.height) for image in found} == {(1800, 1200)}
    for image in found[1:]:
        assert np.abs(image.tensor.astype(int) - found[0].tensor).mean() < 3  # each was compressed anew


def test_the_name_of_a_file_plays_no_part(shared_data: Path) -> None:
    assert image_format((shared_data / "odd_images/pillow/hopper.webp").read_bytes()) == "WEBP"
