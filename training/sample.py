"""A small sample set that needs no download: five kinds of shape, drawn by us, each picture different.

They are drawings, not photographs: they show that the machinery works on a machine without internet, no more.
"""

import math
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from model.image import SIDE

Point = tuple[float, float]
Outline = Callable[[], list[Point]]  # corners within the unit circle

PER_CLASS = 80
SIZE = (320, 240)  # px


def _polygon(corners: int, inner: float = 1.0) -> list[Point]:
    """A regular polygon; with `inner` < 1 every second corner is drawn in: a star or a cross."""
    radii = [inner if inner < 1 and i % 2 else 1.0 for i in range(corners)]
    turns = [2 * math.pi * i / corners for i in range(corners)]
    return [(r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, turns, strict=True)]


SHAPES: dict[str, list[Point]] = {
    "circle": _polygon(48),
    "flower": [
        ((0.7 + 0.3 * math.cos(6 * a)) * math.cos(a), (0.7 + 0.3 * math.cos(6 * a)) * math.sin(a))
        for a in (2 * math.pi * i / 120 for i in range(120))
    ],
    "square": _polygon(4),
    "star": _polygon(10, inner=0.4),
    "triangle": _polygon(3),
}


def write_sample(directory: Path, per_class: int = PER_CLASS, seed: int = 0) -> int:
    """Draw `per_class` PNGs of each shape into `directory`/<shape>/; the same seed draws the same. Returns how many."""
    for label in SHAPES:
        (directory / label).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            draw(label, Random(f"{seed}/{label}/{number}")).save(directory / label / f"{number:03}.png")
    return per_class * len(SHAPES)


def draw_batch(count: int, seed: int) -> NDArray[np.uint8]:
    """Draw `count` pictures of mixed shapes as one array (N, 299, 299, 3)."""
    labels = list(SHAPES)
    pictures = [draw(labels[i % len(labels)], Random(f"batch/{seed}/{i}")).resize((SIDE, SIDE)) for i in range(count)]
    return np.stack([np.asarray(picture) for picture in pictures])


def draw(label: str, random: Random) -> Image.Image:
    """Draw one shape: anywhere, of any size, colour and turn, over a soft background with some clutter."""
    ground, ink = _two_colours(random)
    picture = Image.new("RGB", SIZE, ground)
    pen = ImageDraw.Draw(picture)
    for _ in range(8):  # soft blots, then thin clutter that the shape must stand out from
        x, y, r = random.uniform(0, SIZE[0]), random.uniform(0, SIZE[1]), random.uniform(20, 90)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=_near(ground, 45, random))
    picture = picture.filter(ImageFilter.GaussianBlur(18))
    pen = ImageDraw.Draw(picture)
    for _ in range(random.randint(2, 6)):
        ends = [(random.uniform(0, SIZE[0]), random.uniform(0, SIZE[1])) for _ in range(2)]
        pen.line(ends, fill=_near(ink, 60, random), width=random.randint(1, 2))
    pen.polygon(_placed(SHAPES[label], random), fill=ink)
    return _with_grain(picture.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.2))), random)


def _placed(outline: list[Point], random: Random) -> list[Point]:
    size = random.uniform(45, 95)  # px
    turn = random.uniform(0, 2 * math.pi)
    x, y = (random.uniform(size * 0.9, side - size * 0.9) for side in SIZE)
    cos, sin = size * math.cos(turn), size * math.sin(turn)
    return [(x + cos * u - sin * v, y + sin * u + cos * v) for u, v in outline]


def _two_colours(random: Random) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Choose a ground and an ink that differ enough to be told apart."""
    while True:
        ground, ink = (tuple(random.randint(20, 235) for _ in range(3)) for _ in range(2))
        if sum(abs(a - b) for a, b in zip(ground, ink, strict=True)) > 220:
            return ground, ink


def _near(colour: tuple[int, ...], distance: int, random: Random) -> tuple[int, ...]:
    return tuple(min(255, max(0, c + random.randint(-distance, distance))) for c in colour)


def _with_grain(picture: Image.Image, random: Random) -> Image.Image:
    noise = np.random.default_rng(random.getrandbits(32)).normal(0, 6, (*SIZE[::-1], 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))
