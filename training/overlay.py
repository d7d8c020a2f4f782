"""A picture with its heat map laid over it, as a small PNG: the warmer a place, the more it speaks for the label."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.image import DecodedImage

LONGEST_SIDE = 320  # px
WARM = (255, 90, 0)  # RGB
STRONGEST = 0.7  # opacity of the place that speaks for the label most
LEAST_SCALE = 1.0  # log-odds that are shown as strongest at least, so that a picture without evidence stays plain


def draw_overlay(picture: DecodedImage, heat: NDArray[np.float32]) -> Image.Image:
    """Lay heat (8, 8), in log-odds, over a picture, in the picture's own proportions."""
    scale = LONGEST_SIDE / max(picture.width, picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    shown = np.clip(heat / max(float(heat.max()), LEAST_SCALE), 0, 1) * STRONGEST * 255
    mask = Image.fromarray(shown.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    drawn = Image.fromarray(picture.tensor).resize(size, Image.Resampling.BICUBIC)
    drawn.paste(WARM, (0, 0, *size), mask)
    return drawn
