"""A picture under a veil, as a small PNG: the clearer a place, the more it speaks for the first label. The page does the same."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.image import DecodedImage

LONGEST_SIDE = 320  # px
VEIL = (8, 14, 36)  # RGB; a warm layer would not be seen on a warm flower
DARKEST = 0.8  # opacity over what does not speak for the label
LEAST_SCALE = 1.0  # log-odds under which no place is clear, so that a picture without evidence has none


def draw_overlay(picture: DecodedImage, heat: NDArray[np.float32]) -> Image.Image:
    """Lay heat (8, 8), in log-odds, over a picture, in the picture's own proportions."""
    scale = LONGEST_SIDE / max(picture.width, picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    clear = np.clip(heat / max(float(heat.max()), LEAST_SCALE), 0, 1)  # (8, 8)
    veil = Image.fromarray(((1 - clear) * DARKEST * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    drawn = Image.fromarray(picture.tensor).resize(size, Image.Resampling.BICUBIC)
    drawn.paste(VEIL, (0, 0, *size), veil)
    return drawn
