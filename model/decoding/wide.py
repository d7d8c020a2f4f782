"""From 32-bit integers and floats to 8 bits: no header states their range, so the values do. NumPy is imported when needed."""

from typing import TYPE_CHECKING, Any

from PIL import Image

from model.decoding.depth import has_value, in_rows, rows_of, valued
from model.decoding.header import Header
from model.errors import CorruptImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE = 2**18  # pixels that the range of floats is taken from
RANGE = (0.1, 99.9)  # percent; what lies outside is clipped: a hot pixel must not make the rest flat
NO_VALUE = 9.9e19  # magnitudes from it mean "no data", netCDF's 1e20 is one; so do those below, where they are smallest
PLACEHOLDERS = (-9999.0, -99999.0, -32768.0, -32767.0, -(2.0**31))
LARGEST = (2.0**31 - 1, 2.0**32 - 1)  # of 32-bit integers: the same, where they are the largest
ALONE = 16  # times the range of all other values that the least or largest lies from them: it means "no data" as well


def from_wide(picture: Image.Image, header: Header) -> Image.Image:
    """Stretch 32-bit integers or floats, whose range no header states, from their 0.1st to their 99.9th percentile."""
    import numpy as np

    low, high = _range(picture, header)
    scale = 255 / (high - low) if high > low else 0.0

    def to_bytes(values: "NDArray[Any]") -> "NDArray[Any]":
        known = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
        if header.nodata is not None:
            known[~has_value(values, header)] = low
        return ((known - low) * scale).clip(0, 255)

    return in_rows(picture, header, to_bytes)


def _range(picture: Image.Image, header: Header) -> tuple[float, float]:
    import numpy as np

    step = max(1, round((picture.width * picture.height / SAMPLE) ** 0.5))
    sampled = np.concatenate([rows[::step, ::step].ravel() for rows in rows_of(picture, header)])
    values = valued(sampled, header).astype(np.float64)
    values = values[np.abs(values) < NO_VALUE]  # NaN is not, either
    if not values.size:
        raise CorruptImage("the image cannot be decoded (none of its pixels holds a finite value)")
    if values.min() in PLACEHOLDERS and (values != values.min()).any():
        values = values[values != values.min()]
    if values.max() in LARGEST and (values != values.max()).any():
        values = values[values != values.max()]
    for extreme in (values.min(), values.max()):
        values = _without(extreme, values)
    low, high = np.percentile(values, RANGE)
    return (float(low), float(high)) if high > low else (float(values.min()), float(values.max()))


def _without(extreme: float, values: "NDArray[Any]") -> "NDArray[Any]":
    """Leave out a value that stands far from all others, which some files write where they have none."""
    import numpy as np

    others = values[values != extreme]
    if not others.size or np.ptp(others) == 0:
        return values
    return others if np.abs(others - extreme).min() > ALONE * np.ptp(others) else values
