"""From 16-bit and signed samples to 8 bits: by what the values say, since headers rarely do. NumPy is imported when needed."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from PIL import Image

from model.decoding.header import Header
from model.decoding.limits import MOST_EXACT
from model.errors import UnsupportedImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.decoding.samples import Rows

FULL = 2**14  # 16-bit samples reach beyond it, unless they hold the 10, 12 or 14 bits of a sensor
LEVELS = 8  # of brightness, at least, where only the upper bits are at hand
SIGNED_MOST = 127  # of bytes
EIGHT = 2**8  # and those below it hold 8
AT_ONCE = 2**18  # pixels that are turned into 8 bits at a time, so that no second picture is in memory


def brightness(largest: int) -> float:
    """Return what 16-bit samples are multiplied by: the largest becomes white where sensors left the upper bits empty."""
    if largest < EIGHT:
        return 1.0
    return 255 / largest if largest < FULL else 1 / 256


def from_sixteen(picture: Image.Image, header: Header) -> Image.Image:
    """Return grey of 8 bits, with alpha where one value is transparent; pixels that hold no value are as dark as the least."""
    import numpy as np

    def to_bytes(values: "NDArray[Any]") -> "NDArray[Any]":
        return values * factor if header.nodata is None else np.where(has_value(values, header), values * factor, 0)

    factor = brightness(max(int(valued(values, header).max(initial=0)) for values in rows_of(picture, header)))
    grey = in_rows(picture, header, to_bytes)
    if header.transparent:
        grey.putalpha(in_rows(picture, header, lambda values: 255 * (values != header.transparent)))
    return grey


def from_signed(picture: Image.Image, header: Header) -> Image.Image:
    """Return bytes that the decoder took for unsigned ones: −128 is black, or 0 where none is below it; no value is black, too."""
    missing = next((value for value in range(256) if (value + 128) % 256 - 128 == header.nodata), None)
    counts = [count if value != missing else 0 for value, count in enumerate(picture.histogram())]
    negative = any(counts[SIGNED_MOST + 1 :])
    levels = [(value + 128) % 256 if negative else min(255, 2 * value) for value in range(256)]
    levels = [255 - level for level in levels] if header.inverted else levels
    return picture.point([level if value != missing else 0 for value, level in enumerate(levels)])


def valued(values: "NDArray[Any]", header: Header) -> "NDArray[Any]":
    return values if header.nodata is None else values[has_value(values, header)]


def has_value(values: "NDArray[Any]", header: Header) -> "NDArray[Any]":
    """Compare as the samples are: of −999.9, which a tag writes in text, a 32-bit float keeps seven digits."""
    import numpy as np

    assert header.nodata is not None
    nodata = np.float32(header.nodata) if values.dtype.kind == "f" else header.nodata
    has: NDArray[Any] = np.not_equal(values, nodata)
    return has


def rows_of(picture: Image.Image, header: Header) -> "Iterator[NDArray[Any]]":
    import numpy as np

    for top, bottom in _parts(picture):
        values = np.asarray(picture.crop((0, top, picture.width, bottom)))
        if header.swapped:
            values = (values.astype(np.int16) if header.bits == 16 else values).byteswap()
        yield values.view(np.uint32) if header.unsigned else values


def in_rows(picture: Image.Image, header: Header, to_bytes: "Callable[[NDArray[Any]], NDArray[Any]]") -> Image.Image:
    import numpy as np

    found, top = Image.new("L", picture.size), 0
    for values in rows_of(picture, header):
        eight = to_bytes(values).astype(np.uint8)
        found.paste(Image.fromarray(255 - eight if header.inverted else eight), (0, top))
        top += eight.shape[0]
    return found


def from_dark(picture: Image.Image, header: Header, reader: Any) -> Image.Image:
    """Return colours of 16-bit samples that hold 8 to 14 bits at their full brightness, others as they are."""
    colours = "A" if header.associated else picture.mode.removesuffix("A")  # what alpha divided may look bright
    largest = max(_brightest(picture, band) for band in colours)
    if largest >= FULL >> 8 and not header.transparent:
        return picture
    small = picture.width * picture.height * len(picture.mode) < MOST_EXACT
    exact = header.deep(reader, picture) if header.deep and (small or header.transparent) else None
    if exact:
        return _from_samples(exact, picture, header)
    if largest < LEVELS or header.associated:
        raise UnsupportedImage(
            f"the image uses {largest.bit_length() + 8} bits of its 16-bit samples: save it with 8 bits"
        )
    most = max(_brightest(picture, band) for band in picture.mode)
    full = _most(most << 8) >> 8 if most < FULL >> 8 else 255
    stretched = _table([(value + 0.5) / (largest + 0.5) for value in range(256)])  # only the upper bits are at hand
    as_stated = _table([value / full for value in range(256)])
    tables = [value for band in picture.mode for value in (stretched if band in "RGB" else as_stated)]
    for top, bottom in _parts(picture):
        picture.paste(picture.crop((0, top, picture.width, bottom)).point(tables), (0, top))
    return picture


def _parts(picture: Image.Image) -> list[tuple[int, int]]:
    rows = max(1, AT_ONCE // picture.width)
    return [(top, min(top + rows, picture.height)) for top in range(0, picture.height, rows)]


def _brightest(picture: Image.Image, band: str) -> int:
    return max(value for value, count in enumerate(picture.getchannel(band).histogram()) if count)


def _table(parts: list[float]) -> list[int]:
    return [min(255, round(255 * part)) for part in parts]


def _most(largest: int) -> int:
    """Return what is opaque, or full of ink: the most that samples of 8, 10, 12 or 14 bits hold."""
    bits = largest.bit_length()
    return (1 << max(8, bits + bits % 2)) - 1


def _from_samples(rows: "Rows", picture: Image.Image, header: Header) -> Image.Image:
    """Paste what the samples mean: colours at their full brightness; alpha and inks, whose most is stated, as they are."""
    import numpy as np

    parts = _parts(picture)
    largest = np.max([rows(*part).max((0, 1)) for part in parts], 0)[: len(picture.mode)]
    most = int(largest.max())
    level = 255 / _most(most) if most < FULL else 1 / 256
    alpha = level if largest[-1] < FULL else 1 / 256
    factors = [level] * 4 if picture.mode == "CMYK" else [*[brightness(int(largest[:3].max()))] * 3, alpha]
    found = picture.convert("RGBA") if header.transparent else picture  # of which no row is read after it was pasted to
    for top, bottom in parts:
        samples = rows(top, bottom)[..., : len(picture.mode)]
        eight = samples * factors[: len(picture.mode)]
        if header.associated:
            eight[..., :3] = 255.0 * samples[..., :3] / np.maximum(samples[..., 3:], 1)
        if header.transparent:
            eight = np.concatenate([eight, 255 * (samples != header.transparent).any(2, keepdims=True)], 2)
        found.paste(Image.fromarray(eight.clip(0, 255).astype(np.uint8), found.mode), (0, top))
    return found
