"""From 16- and 32-bit samples to 8 bits: by what the values say, since headers rarely do. NumPy is imported when needed."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image

from model.decoding.header import Header
from model.errors import CorruptImage, UnsupportedImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

FULL = 2**14  # 16-bit samples reach beyond it, unless they hold the 10, 12 or 14 bits of a sensor
LEVELS = 8  # of brightness, at least, where only the upper bits are at hand
EIGHT = 2**8  # and those below it hold 8
AT_ONCE = 2**18  # pixels that are turned into 8 bits at a time, so that no second picture is in memory
SAMPLE = 2**18  # pixels that the range of floats is taken from
RANGE = (0.1, 99.9)  # percent; what lies outside is clipped: a hot pixel must not make the rest flat
NO_VALUE = 1e30  # magnitudes that mean "no data"; so do the ones below, where they are the smallest
MOST_EXACT = 80_000_000  # samples; Pillow warns of larger pictures
PLACEHOLDERS = (-9999.0, -99999.0, -32768.0, -32767.0)


def brightness(largest: int) -> float:
    """Return what 16-bit samples are multiplied by: the largest becomes white where sensors left the upper bits empty."""
    if largest < EIGHT:
        return 1.0
    return 255 / largest if largest < FULL else 1 / 256


def from_sixteen(picture: Image.Image, header: Header) -> Image.Image:
    factor = brightness(max(int(values.max()) for values in _rows(picture, header)))
    return _in_rows(picture, header, lambda values: values * factor)


def from_wide(picture: Image.Image, header: Header) -> Image.Image:
    """Stretch 32-bit integers or floats, whose range no header states, from their 0.1st to their 99.9th percentile."""
    import numpy as np

    low, high = _range(picture, header)
    scale = 255 / (high - low) if high > low else 0.0

    def to_bytes(values: "NDArray[Any]") -> "NDArray[Any]":
        known = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
        return ((known - low) * scale).clip(0, 255)

    return _in_rows(picture, header, to_bytes)


def _range(picture: Image.Image, header: Header) -> tuple[float, float]:
    import numpy as np

    step = max(1, round((picture.width * picture.height / SAMPLE) ** 0.5))
    values = np.concatenate([rows[::step, ::step].ravel() for rows in _rows(picture, header)]).astype(np.float64)
    values = values[np.abs(values) < NO_VALUE]  # NaN is not, either
    if header.nodata is not None:
        values = values[values != header.nodata]
    if not values.size:
        raise CorruptImage("the image cannot be decoded (none of its pixels holds a finite value)")
    if values.min() in PLACEHOLDERS and (values != values.min()).any():
        values = values[values != values.min()]
    low, high = np.percentile(values, RANGE)
    return (float(low), float(high)) if high > low else (float(values.min()), float(values.max()))


def _rows(picture: Image.Image, header: Header) -> "Iterator[NDArray[Any]]":
    import numpy as np

    rows = max(1, AT_ONCE // picture.width)
    for top in range(0, picture.height, rows):
        values = np.asarray(picture.crop((0, top, picture.width, min(top + rows, picture.height))))
        if header.swapped:
            values = (values.astype(np.int16) if header.bits == 16 else values).byteswap()
        yield values


def _in_rows(picture: Image.Image, header: Header, to_bytes: "Callable[[NDArray[Any]], NDArray[Any]]") -> Image.Image:
    import numpy as np

    found, top = Image.new("L", picture.size), 0
    for values in _rows(picture, header):
        eight = to_bytes(values).astype(np.uint8)
        found.paste(Image.fromarray(255 - eight if header.inverted else eight), (0, top))
        top += eight.shape[0]
    return found


def from_dark(picture: Image.Image, header: Header, reader: Any) -> Image.Image:
    """Return colours of 16-bit samples that hold 8 to 14 bits at their full brightness, others as they are."""
    largest = max(_brightest(picture, band) for band in "RGB")
    if largest >= FULL >> 8:
        return picture
    small = picture.width * picture.height * len(picture.mode) < MOST_EXACT
    exact = header.deep() if header.deep and small else None
    if exact:
        return _from_samples(reader, *exact, picture, header)
    if largest < LEVELS:
        raise UnsupportedImage(
            f"the image uses {largest.bit_length() + 8} bits of its 16-bit samples: save it with 8 bits"
        )
    factor = 255 / (largest + 0.5)  # only the upper eight bits are at hand
    stretch = [min(255, round((value + 0.5) * factor)) for value in range(256)]
    return picture.point(stretch * 3 + list(range(256)) * (len(picture.mode) - 3))


def _brightest(picture: Image.Image, band: str) -> int:
    return max(value for value, count in enumerate(picture.getchannel(band).histogram()) if count)


def _from_samples(reader: Any, data: bytes, differences: bool, picture: Image.Image, header: Header) -> Image.Image:
    """Paste the colours of a picture whose samples lie side by side in a grey one of 16 bits."""
    import numpy as np

    def colours() -> "Iterator[NDArray[Any]]":
        for rows in _rows(grey, header):
            samples = rows.reshape(rows.shape[0], picture.width, -1)
            yield (np.cumsum(samples, axis=1, dtype=np.uint16) if differences else samples)[..., :3]

    grey = reader(BytesIO(data))
    grey.load()
    factor, top = brightness(max(int(samples.max()) for samples in colours())), 0
    found = picture.copy() if picture.mode == "RGBA" else picture
    for samples in colours():
        eight = Image.fromarray((samples * factor).astype(np.uint8))
        if picture.mode == "RGBA":
            eight.putalpha(picture.getchannel("A").crop((0, top, picture.width, top + eight.height)))
        found.paste(eight, (0, top))
        top += eight.height
    return found
