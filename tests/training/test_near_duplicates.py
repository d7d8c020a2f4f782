from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from model.image import SIDE, decode
from training.near_duplicates import MOST_DIFFERENT, find_pairs, perceptual_hash


def picture(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8)
    return Image.fromarray(coarse).resize((400, 300), Image.Resampling.BICUBIC)


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def hash_of(data: bytes) -> bytes:
    return perceptual_hash(decode(data).tensor)


def variants(image: Image.Image) -> dict[str, bytes]:
    width, height = image.size
    return {
        "re-encoded": jpeg(image, 40),
        "resized": jpeg(image.resize((width // 2, height // 2), Image.Resampling.LANCZOS)),
        "cropped": jpeg(image.crop((width * 3 // 200, height * 3 // 200, width * 197 // 200, height * 197 // 200))),
    }


@pytest.mark.parametrize("seed", range(5))
def test_what_was_reencoded_resized_or_cropped_is_found_and_another_picture_is_not(seed: int) -> None:
    image, other = picture(seed), picture(seed + 100)
    hashes = [hash_of(jpeg(image)), *map(hash_of, variants(image).values()), hash_of(jpeg(other))]
    assert {tuple(pair) for pair in find_pairs(hashes).tolist()} == {(i, j) for i in range(4) for j in range(i + 1, 4)}


def test_plain_surfaces_are_no_near_duplicates() -> None:
    grey, red = np.full((SIDE, SIDE, 3), 90, np.uint8), np.full((SIDE, SIDE, 3), (200, 10, 10), np.uint8)
    assert perceptual_hash(grey) == perceptual_hash(red) == b""
    assert len(find_pairs([b"", b""])) == 0


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40), st.integers(0, 256))
def test_pairs_are_those_within_the_distance(hashes: list[bytes], flips: int) -> None:
    if hashes:
        bits = int.from_bytes(hashes[0])
        hashes.append((bits ^ ((1 << flips) - 1)).to_bytes(32))
    expected = {
        (i, j)
        for i, one in enumerate(hashes)
        for j, other in enumerate(hashes)
        if i < j and (int.from_bytes(one) ^ int.from_bytes(other)).bit_count() <= MOST_DIFFERENT
    }
    assert {tuple(pair) for pair in find_pairs(hashes).tolist()} == expected


def test_pairs_are_found_across_blocks() -> None:
    hashes = [np.random.default_rng(i).bytes(32) for i in range(2500)]
    hashes[2400] = hashes[3]
    assert find_pairs(hashes).tolist() == [[3, 2400]]


def test_injected_copies_of_real_photos_are_found(shared_data: Path) -> None:
    photos = sorted((shared_data / "flower_photos").rglob("*.jpg"))[::75]
    found = 0
    for photo in photos:
        with Image.open(photo) as image:
            hashes = [hash_of(photo.read_bytes()), *map(hash_of, variants(image.convert("RGB")).values())]
        found += len([pair for pair in find_pairs(hashes) if pair[0] == 0])
    assert found == 3 * len(photos)
    assert not len(find_pairs([hash_of(photo.read_bytes()) for photo in photos]))
