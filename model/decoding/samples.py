"""All 16 bits of colours: Pillow keeps the upper 8 of them, so they are read once more, arranged in a way of which it keeps all.

NumPy is imported when needed.
"""

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = Callable[[int, int], NDArray[np.uint16]]  # a row, and the one after the last → (rows, width, bands)


def of_png(data: bytes, reader: Any, picture: Image.Image) -> "Rows":
    """Read the lower bytes of a PNG whose upper ones are `picture`: those of RGB;16L lie where its second bytes do."""
    import numpy as np

    rest = reader(BytesIO(data))
    [tile] = rest.tile
    grey = tile.args == "LA;16B"  # four bytes a pixel, as RGBA has: both of grey, both of alpha
    rest.tile = [tile._replace(args="RGBA" if grey else tile.args.replace(";16B", ";16L"))]
    rest.load()

    def rows(top: int, bottom: int) -> "NDArray[np.uint16]":
        place = (0, top, picture.width, bottom)
        low = np.asarray(rest.crop(place)).astype(np.uint16)
        if grey:
            level, alpha = low[..., 0] << 8 | low[..., 1], low[..., 2] << 8 | low[..., 3]
            return np.stack([level, level, level, alpha], 2)
        return np.asarray(picture.crop(place)).astype(np.uint16) * np.uint16(256) | low

    return rows


def of_tiff(greys: list[bytes], differences: int, reader: Any, picture: Image.Image) -> "Rows":
    """Read grey TIFFs: one of all samples side by side, or one for each plane.

    Samples of one picture that are differences to the ones before are so within each `differences` pixels; 0: they are none.
    """
    import numpy as np

    planes = [reader(BytesIO(grey)) for grey in greys]
    for plane in planes:
        plane.load()

    def rows(top: int, bottom: int) -> "NDArray[np.uint16]":
        found = [np.asarray(plane.crop((0, top, plane.width, bottom))) for plane in planes]
        samples = np.stack(found, 2) if len(found) > 1 else found[0].reshape(bottom - top, picture.width, -1)
        if differences:
            parts = [samples[:, left : left + differences] for left in range(0, picture.width, differences)]
            samples = np.concatenate([np.cumsum(part, axis=1, dtype=np.uint16) for part in parts], 1)
        return samples.astype(np.uint16)

    return rows
