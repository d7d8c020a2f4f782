"""TIFFs that most readers take for something else: each must give what its samples mean, whatever their order of bytes."""

import struct
import zlib
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.errors import CorruptImage, UnreadFormat, UnsupportedImage
from model.image import decode
from tests.model.decoding.hostile import encoded, strip_tags, tiff

LEVELS = np.add.outer(np.arange(64), np.arange(96)) % 32 * 255 / 31  # 0–255, all of them in any 32 rows or columns
COLOURS = np.stack([LEVELS, LEVELS[::-1], 255 - LEVELS], 2)
ORDERS = [{"order": order, "big": big} for order, big in product("<>", (False, True))]


def written(
    samples: np.ndarray, *, order: str = "<", big: bool = False, compression: int = 1, planar: int = 1, **others: int
) -> bytes:
    """A TIFF of these samples (height, width[, colours]) as one strip, or one for each colour."""
    height, width = samples.shape[:2]
    count = samples.shape[2] if samples.ndim == 3 else 1
    ordered = samples.astype(samples.dtype.newbyteorder(order))
    planes = [ordered] if planar == 1 else [ordered[..., i] for i in range(count)]
    if others.pop("predictor", 1) == 2:
        planes = [np.diff(samples, axis=1, prepend=samples[:, :1] * 0).astype(ordered.dtype)]
        extra = {317: (3, [2])}
    else:
        extra = {}
    strips = [zlib.compress(plane.tobytes()) if compression == 8 else plane.tobytes() for plane in planes]
    tags = strip_tags(
        width, height, samples.dtype.itemsize * 8, count, len(strips[0]), compression=compression, **others
    )
    if planar == 2:
        tags |= {284: (3, [2]), 279: (4, [len(strip) for strip in strips])}
    tags |= extra
    probe = len(tiff(tags | {273: (4, [0] * len(strips))}, big=big, order=order))
    starts = [probe + sum(map(len, strips[:i])) for i in range(len(strips))]
    return tiff(tags | {273: (4, starts)}, b"".join(strips), big=big, order=order)


def difference(data: bytes, meant: np.ndarray) -> float:
    picture = Image.fromarray(meant.round().astype(np.uint8))
    return float(np.abs(decode(data).tensor.astype(int) - decode(encoded(picture, "PNG")).tensor).mean())


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("written_as", ORDERS, ids=str)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planar", [1, 2])
def test_colours(written_as: dict, compression: int, bits: int, planar: int) -> None:
    samples = (COLOURS * (257 if bits == 16 else 1)).round().astype(f"u{bits // 8}")
    assert difference(written(samples, compression=compression, planar=planar, **written_as), COLOURS) < 2


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("written_as", ORDERS, ids=str)
@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("kind", ["u1", "u2", "i2", "i4", "f4"])
def test_grey(written_as: dict, compression: int, photometric: int, kind: str) -> None:
    scale = {"u1": 1, "u2": 257, "i2": 128, "i4": 10**6, "f4": 0.001}[kind]
    stored = (255 - LEVELS if photometric == 0 else LEVELS) * scale
    samples = (stored if kind == "f4" else stored.round()).astype(kind)
    format = {"u": 1, "i": 2, "f": 3}[kind[0]]
    data = written(samples, compression=compression, photometric=photometric, format=format, **written_as)
    try:
        assert difference(data, LEVELS) < 3
    except UnsupportedImage as refusal:
        assert photometric == 0
        assert kind.startswith("i")
        assert "save it as RGB of 8 bits" in str(refusal)


@pytest.mark.parametrize("written_as", ORDERS, ids=str)
def test_signed_bytes(written_as: dict) -> None:
    assert difference(written((LEVELS - 128).round().astype(np.int8), format=2, **written_as), LEVELS) < 2


@pytest.mark.parametrize("written_as", ORDERS, ids=str)
@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize(("compression", "predictor", "planar"), [(1, 1, 1), (8, 1, 1), (8, 2, 1), (8, 1, 2)])
def test_fewer_bits_than_sixteen(written_as: dict, bits: int, compression: int, predictor: int, planar: int) -> None:
    samples = (COLOURS / 255 * (2**bits - 1)).round().astype(np.uint16)
    options = {"compression": compression, "predictor": predictor, "planar": planar}
    data = written(samples, **options, **written_as)
    if planar == 2 and bits <= 10:
        with pytest.raises(UnsupportedImage, match=f"uses {bits} bits of its 16-bit samples"):
            decode(data)
    else:
        assert difference(data, COLOURS) < 6
    if planar == 1:
        assert difference(written(samples[..., 0], **options, **written_as), COLOURS[..., 0]) < 2


@pytest.mark.parametrize("factor", [1, 257])
def test_a_colour_map_of_eight_bits_or_sixteen(factor: int) -> None:
    colours = [value * factor for value in (*range(256), *range(255, -1, -1), *range(256))]
    tags = strip_tags(96, 64, 8, 1, 96 * 64, compression=1, photometric=3) | {320: (3, colours)}
    indices = LEVELS.round().astype(np.uint8)
    meant = np.stack([indices, 255 - indices, indices], 2)
    assert difference(tiff(tags, indices.tobytes()), meant) < 1


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, -3.4e38, 3.4e38, -9999.0])
def test_floats_without_a_value_do_not_flatten_the_rest(odd: float) -> None:
    samples = LEVELS.astype(np.float32) / 1000 + 5
    samples[:4] = odd
    found = decode(written(samples, format=3)).tensor
    whole = decode(written(LEVELS.astype(np.float32) / 1000 + 5, format=3)).tensor
    assert np.abs(found[40:].astype(int) - whole[40:]).mean() < 3


def test_floats_of_no_value_at_all_are_refused() -> None:
    with pytest.raises(CorruptImage, match="finite"):
        decode(written(np.full((32, 32), np.nan, np.float32), format=3))


def test_one_hot_pixel_does_not_make_the_rest_black() -> None:
    samples = LEVELS.astype(np.float32)
    samples[5, 5] = 1e6
    assert difference(written(samples, format=3), LEVELS) < 3


def test_a_value_that_gdal_names_as_none_is_not_stretched() -> None:
    samples = LEVELS.astype(np.float32)
    samples[:16] = -500
    strip = strip_tags(96, 64, 32, 1, samples.nbytes, compression=1, format=3)
    data = tiff(strip | {42113: (1, list(b"-500\0"))}, samples.tobytes())
    assert decode(data).tensor[100:].max() > 250
    assert difference(data, np.where(samples == -500, 0, LEVELS)) < 3


@pytest.mark.parametrize("tags", [{50706: (1, [1, 4, 0, 0])}, {254: (4, [1]), 330: (4, [8])}, {262: (3, [32803])}])
def test_a_cameras_raw_file_is_named_instead_of_read_as_its_thumbnail(tags: dict) -> None:
    with pytest.raises(UnreadFormat, match="camera raw"):
        decode(tiff(strip_tags(96, 64, 8, 1, 96 * 64, compression=1) | tags, bytes(96 * 64)))


@pytest.mark.parametrize("bits", [16, 64])
def test_samples_that_are_not_read_are_refused_by_name(bits: int) -> None:
    samples = LEVELS.astype(f"f{bits // 8}")
    with pytest.raises(UnsupportedImage, match="TIFF image has"):
        decode(written(samples, format=3))


def test_an_offset_past_the_end_is_damage() -> None:
    tags = strip_tags(96, 64, 8, 1, 96 * 64, compression=1) | {273: (16, [2**40])}
    with pytest.raises(CorruptImage, match="past its end"):
        decode(tiff(tags, big=True))
    assert struct.calcsize("Q") == 8


def test_cases_of_training_are_read_right(training_cases: Path) -> None:
    truth = decode((training_cases / "ref.png").read_bytes()).tensor.astype(int)
    grey = np.asarray(Image.fromarray(truth.astype(np.uint8)).convert("L")).astype(int)
    for name in ("pal_8bit_colormap.tif", "rgb16_planar.tif", "rgb12in16.tif"):
        assert np.abs(decode((training_cases / name).read_bytes()).tensor - truth).mean() < 6, name
    for name in ("gray16_whiteiszero", "float_nodata", "float_inf", "float_nan_offset", "gray12in16"):
        found = decode((training_cases / f"{name}.tif").read_bytes()).tensor[..., 0]
        assert np.abs(found - grey).mean() < 6, name
