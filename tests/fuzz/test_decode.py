"""Seeded mutations of sound images: each gives a tensor or one of our errors, in time and memory that its header allows.

FUZZ_SECONDS (default 20) is how long it goes on, FUZZ_SEED (default 0) where it begins; a failure names its number.
"""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from model.errors import ImageError
from model.image import Limits, decode, image_format
from tests.model.decoding.hostile import MB, avif, encoded, gif, scans, strip_tags, tiff, webp, zeros
from tests.model.decoding.overlays import overlays

SECONDS = float(os.environ.get("FUZZ_SECONDS", "20"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
LIMITS = Limits(max_pixels=4_000_000, max_decode_mb=48, max_decode_seconds=0.5)
MOST_CPU = 2.0  # s for one image on a loaded machine: ten times what the dearest takes, a tenth of what a bomb would

PICTURE = Image.linear_gradient("L").resize((80, 60)).convert("RGB")
EXTREMES = [b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\xff\xff"]


def sound() -> list[bytes]:
    """One image of each kind whose decoder takes another path."""
    exif = Image.Exif()
    exif[0x0112] = 6
    clear = PICTURE.convert("RGBA")
    clear.putalpha(99)
    return [
        encoded(PICTURE, "JPEG", exif=exif),
        encoded(PICTURE, "JPEG", progressive=True),
        encoded(PICTURE.convert("CMYK"), "JPEG"),
        scans(80, 5),
        encoded(PICTURE, "PNG", exif=exif),
        encoded(PICTURE.convert("P"), "PNG", transparency=3),
        encoded(PICTURE.convert("I;16"), "PNG"),
        encoded(PICTURE.convert("P"), "GIF", save_all=True, append_images=[PICTURE.convert("P").rotate(90)]),
        gif((80, 60), (80, 60)),
        encoded(PICTURE, "BMP"),
        encoded(PICTURE, "TGA", compression="tga_rle"),
        encoded(PICTURE, "PPM"),
        encoded(PICTURE, "JPEG2000"),
        encoded(PICTURE, "TIFF"),
        *(encoded(PICTURE, "TIFF", compression=name) for name in ("tiff_lzw", "jpeg", "zstd", "tiff_adobe_deflate")),
        encoded(PICTURE.convert("1"), "TIFF", compression="group4"),
        encoded(PICTURE.convert("F"), "TIFF"),
        tiff(strip_tags(80, 60, 16, 3, 29), zeros(80 * 60 * 6), big=True, order=">"),
        encoded(clear, "WEBP"),
        encoded(PICTURE, "WEBP", lossless=True, save_all=True, append_images=[PICTURE.rotate(90)]),
        webp(b"VP8L", 80, 60),
        avif(),
        encoded(clear, "AVIF"),
        overlays(2, 2),
        (Path(__file__).parents[1] / "model" / "four_colours.heic").read_bytes(),
    ]


def flipped(data: bytearray, chance: random.Random, _: list[bytes]) -> None:
    for _number in range(chance.choice((1, 1, 2, 5, 20))):
        data[chance.randrange(len(data))] = chance.randrange(256)


def overwritten(data: bytearray, chance: random.Random, _: list[bytes]) -> None:
    """Put an extreme number over another, mostly near the start, where sizes are."""
    at = min(int(chance.expovariate(1 / 200)), len(data) - 1)
    value = chance.choice(EXTREMES)
    data[at : at + len(value)] = value


def repeated(data: bytearray, chance: random.Random, _: list[bytes]) -> None:
    start = chance.randrange(len(data))
    piece = bytes(data[start : start + chance.choice((1, 4, 8, 20, 100))])
    data[start:start] = piece * chance.choice((1, 2, 50, 3_000))


def cut(data: bytearray, chance: random.Random, _: list[bytes]) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.choice((1, 2, 10, len(data)))]


def spliced(data: bytearray, chance: random.Random, others: list[bytes]) -> None:
    start, other = chance.randrange(len(data)), chance.choice(others)
    data[start:] = other[min(start, len(other) // 2) :]


MUTATIONS: list[Callable[[bytearray, random.Random, list[bytes]], None]] = [
    flipped,
    overwritten,
    repeated,
    cut,
    spliced,
]


def mutated(number: int, seeds: list[bytes]) -> bytes:
    chance = random.Random(number)
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if data:
            chance.choice(MUTATIONS)(data, chance, seeds)
    return bytes(data[: 4 * MB])


def test_every_seed_is_sound() -> None:
    for data in sound():
        try:
            decode(data)
        except ImageError as error:
            assert "cannot be decoded" in str(error), image_format(data)  # the two that hold no pixels


def test_mutations_give_a_tensor_or_one_of_our_errors() -> None:
    seeds, number, end = sound(), SEED * 10**6, time.monotonic() + SECONDS
    while time.monotonic() < end:
        number += 1
        data, started = mutated(number, seeds), time.process_time()
        try:
            assert decode(data, LIMITS).tensor.shape == (299, 299, 3)
        except ImageError as error:
            assert str(error)
            assert "\n" not in str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, its number is what is needed
            pytest.fail(f"FUZZ_SEED={SEED}, number {number}: {error!r}")
        spent = time.process_time() - started
        assert spent < MOST_CPU, f"FUZZ_SEED={SEED}, number {number}: {spent:.1f} s of a CPU"
    assert number > SEED * 10**6
