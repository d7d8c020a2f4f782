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
    samples: np.ndarray,
    *,
    order: str = "<",
    big: bool = False,
    compression: int = 1,
    planar: int = 1,
    predictor: int = 1,
    tile: int = 0,
    extra: tuple[int, ...] = (),
    nodata: str | None = None,
    photometric: int | None = -1,
    **others: int,
) -> bytes:
    """A TIFF of these samples (height, width[, colours]) as one strip, or one for each colour, or square tiles."""
    height, width = samples.shape[:2]
    count = samples.shape[2] if samples.ndim == 3 else 1
    planes = [samples] if planar == 1 else [samples[..., i] for i in range(count)]
    parts = [part for plane in planes for part in _tiles(plane, tile)]
    if predictor == 2:
        parts = [np.diff(part, axis=1, prepend=part[:, :1] * 0) for part in parts]
    strips = [part.astype(samples.dtype.newbyteorder(order)).tobytes() for part in parts]
    strips = [zlib.compress(strip) if compression == 8 else strip for strip in strips]
    if photometric not in {-1, None}:
        others["photometric"] = photometric
    tags = strip_tags(
        width, height, samples.dtype.itemsize * 8, count, len(strips[0]), compression=compression, **others
    )
    tags |= {279: (4, [len(strip) for strip in strips])}
    tags |= {284: (3, [2])} if planar == 2 else {}
    tags |= {317: (3, [2])} if predictor == 2 else {}
    tags |= {338: (3, list(extra))} if extra else {}
    tags |= {42113: (1, [*nodata.encode(), 0])} if nodata else {}
    if photometric is None:
        del tags[262]
    places = 273
    if tile:
        places, sizes = 324, tags.pop(279)
        del tags[273], tags[278]
        tags |= {322: (4, [tile]), 323: (4, [tile]), 325: sizes}
    probe = len(tiff(tags | {places: (4, [0] * len(strips))}, big=big, order=order))
    starts = [probe + sum(map(len, strips[:i])) for i in range(len(strips))]
    return tiff(tags | {places: (4, starts)}, b"".join(strips), big=big, order=order)


def _tiles(samples: np.ndarray, side: int) -> list[np.ndarray]:
    if not side:
        return [samples]
    height, width = samples.shape[:2]
    return [samples[y : y + side, x : x + side] for y in range(0, height, side) for x in range(0, width, side)]


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
@pytest.mark.parametrize("photometric", [0, 1])
def test_signed_bytes(written_as: dict, photometric: int) -> None:
    levels = LEVELS if photometric else 255 - LEVELS
    for samples in (levels - 128, levels / 2):  # where none is negative, 0 is black
        data = written(samples.astype(np.int8), photometric=photometric, format=2, **written_as)
        assert difference(data, LEVELS) < 2


@pytest.mark.parametrize("photometric", [0, 1])
def test_signed_bytes_of_which_one_stands_for_no_value(photometric: int) -> None:
    levels = LEVELS if photometric else 255 - LEVELS
    samples = (levels / 2).astype(np.int8)
    samples[:20] = -128
    shown = LEVELS.copy()
    shown[:20] = 0
    assert difference(written(samples, photometric=photometric, format=2, nodata="-128"), shown) < 2


@pytest.mark.parametrize("nodata", ["-9999", "nan", "1e39", "200", "-1.5"])
def test_a_number_that_no_signed_byte_holds_takes_none_of_them_away(nodata: str) -> None:
    assert difference(written((LEVELS - 128).astype(np.int8), format=2, nodata=nodata), LEVELS) < 2


@pytest.mark.parametrize("written_as", ORDERS, ids=str)
@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize(("compression", "predictor", "planar"), [(1, 1, 1), (8, 1, 1), (8, 2, 1), (8, 1, 2)])
def test_fewer_bits_than_sixteen(written_as: dict, bits: int, compression: int, predictor: int, planar: int) -> None:
    samples = (COLOURS / 255 * (2**bits - 1)).round().astype(np.uint16)
    options = {"compression": compression, "predictor": predictor, "planar": planar}
    data = written(samples, **options, **written_as)
    assert difference(data, COLOURS) < 2
    if planar == 1:
        assert difference(written(samples[..., 0], **options, **written_as), COLOURS[..., 0]) < 2


@pytest.mark.parametrize("written_as", ORDERS, ids=str)
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("extra", [(), (0,), (1,), (2,)])
def test_alpha_has_as_many_bits_as_colours(written_as: dict, bits: int, planar: int, extra: tuple[int, ...]) -> None:
    opacity = 0.5 if extra in {(1,), (2,)} else 1
    parts = COLOURS / 255 * (opacity if extra == (1,) else 1)
    samples = np.concatenate([parts, np.full((64, 96, 1), opacity)], 2) * (2**bits - 1)
    data = written(samples.round().astype(np.uint16), planar=planar, extra=extra, **written_as)
    try:
        assert difference(data, COLOURS * opacity + 255 * (1 - opacity)) < 3
    except UnsupportedImage as refusal:
        assert "save it as RGB of 8 bits" in str(refusal)
        assert planar == 2 or bits == 16


@pytest.mark.parametrize("written_as", ORDERS, ids=str)
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("planar", [1, 2])
def test_inks_have_as_many_bits_as_their_samples_hold(written_as: dict, bits: int, planar: int) -> None:
    inks = np.concatenate([255 - COLOURS, np.zeros((64, 96, 1))], 2) / 255 * (2**bits - 1)
    data = written(inks.round().astype(np.uint16), photometric=5, planar=planar, **written_as)
    assert difference(data, COLOURS) < 3
    assert (decode(written(np.zeros_like(inks, np.uint16), photometric=5, planar=planar)).tensor == 255).all()


@pytest.mark.parametrize("written_as", ORDERS, ids=str)
@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("planar", [1, 2])
def test_tiles_of_fewer_bits_than_sixteen(written_as: dict, bits: int, predictor: int, planar: int) -> None:
    samples = (COLOURS / 255 * (2**bits - 1)).round().astype(np.uint16)
    assert (
        difference(written(samples, tile=32, predictor=predictor, planar=planar, compression=8, **written_as), COLOURS)
        < 2
    )


@pytest.mark.parametrize("photometric", [1, 8, 9])
def test_planes_of_other_samples_than_colours_are_refused_by_name(photometric: int) -> None:
    samples = np.repeat(LEVELS[..., None], 3 if photometric > 1 else 2, 2).astype(np.uint8)
    with pytest.raises(UnsupportedImage, match="in planes"):
        decode(written(samples, photometric=photometric, planar=2))


@pytest.mark.parametrize("written_as", ORDERS, ids=str)
@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
def test_grey_is_not_negative_where_no_tag_says_what_zero_is(written_as: dict, kind: str) -> None:
    samples = (LEVELS * {"u1": 1, "u2": 257, "u4": 16_000_000}[kind]).round().astype(kind)
    assert difference(written(samples, photometric=None, **written_as), LEVELS) < 2


def test_colours_are_such_where_no_tag_says_so() -> None:
    assert difference(written(COLOURS.round().astype(np.uint8), photometric=None), COLOURS) < 1


@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_that_is_zero_everywhere_is_unused_unless_a_tag_says_that_it_is_alpha(bits: int) -> None:
    samples = np.concatenate([COLOURS, np.zeros((64, 96, 1))], 2) * (257 if bits == 16 else 1)
    samples = samples.round().astype(f"u{bits // 8}")
    assert difference(written(samples), COLOURS) < 2
    assert (decode(written(samples, extra=(2,))).tensor == 255).all()


@pytest.mark.parametrize("factor", [1, 257])
def test_a_colour_map_of_eight_bits_or_sixteen(factor: int) -> None:
    colours = [value * factor for value in (*range(256), *range(255, -1, -1), *range(256))]
    tags = strip_tags(96, 64, 8, 1, 96 * 64, compression=1, photometric=3) | {320: (3, colours)}
    indices = LEVELS.round().astype(np.uint8)
    meant = np.stack([indices, 255 - indices, indices], 2)
    assert difference(tiff(tags, indices.tobytes()), meant) < 1


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, -3.4e38, 3.4e38, 1e20, -9999.0, -1e10, 1e15, -999.0, 9999.0])
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


@pytest.mark.parametrize("written_as", ORDERS, ids=str)
@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("f4", 1e20, "1e+20"),
        ("f4", -999.9, "-999.9"),
        ("f4", -3.4028234663852886e38, "-3.40282346638528860e+38"),
        ("u2", 65535, "65535"),
        ("u2", 0, "0"),
        ("i2", -32768, None),
        ("i4", -(2**31), None),
        ("i4", -(2**31), "-2147483648"),
        ("u4", 2**32 - 1, None),
        ("u4", 2**32 - 1, "4294967295"),
    ],
)
def test_what_means_no_value_does_not_flatten_the_rest(
    written_as: dict, kind: str, value: float, text: str | None
) -> None:
    samples = (LEVELS * 10 + 20).astype(kind)
    samples[:16] = value
    found = decode(written(samples, format="uif".index(kind[0]) + 1, nodata=text, **written_as)).tensor
    meant = decode(encoded(Image.fromarray(LEVELS.round().astype(np.uint8)), "PNG")).tensor
    assert np.abs(found[100:].astype(int) - meant[100:]).mean() < 4
    if text:
        assert found[:50].max() == 0


@pytest.mark.parametrize("tags", [{50706: (1, [1, 4, 0, 0])}, {254: (4, [1]), 330: (4, [8])}, {262: (3, [32803])}])
def test_a_cameras_raw_file_is_named_instead_of_read_as_its_thumbnail(tags: dict) -> None:
    with pytest.raises(UnreadFormat, match="camera raw"):
        decode(tiff(strip_tags(96, 64, 8, 1, 96 * 64, compression=1) | tags, bytes(96 * 64)))


def test_a_black_background_is_no_missing_value() -> None:
    samples = np.where(LEVELS < 100, 0, 90 + LEVELS / 16).astype(np.float32)
    assert difference(written(samples, format=3), (samples * 255 / samples.max())) < 3


@pytest.mark.parametrize(("coding", "name"), [(34712, "JPEG 2000"), (50001, "WebP"), (34887, "LERC"), (9, "method 9")])
def test_a_compression_that_is_not_read_is_named(coding: int, name: str) -> None:
    with pytest.raises(UnsupportedImage, match=f"compressed with {name}, which is not read"):
        decode(tiff(strip_tags(96, 64, 8, 1, 96 * 64, compression=coding), bytes(96 * 64)))


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
