"""Pictures that are nearly the same: re-encoded, resized, cropped a little, or shot in one burst. By a perceptual hash of 256 bits.

Of 37 pairs within 76 bits on the flower photos 37 were right by eye; features, or a hash of 64 bits, tell worse
(docs/decisions.md). It finds pairs of hashes; what follows from a pair is training/groups.py's.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 16  # bits of the hash: its square
BITS = SIDE**2
MOST_DIFFERENT = 76  # bits, of near-duplicates; of unrelated pictures 128 differ, ± 8
FEWEST_ONES = 64  # bits; half of a picture's are ones, but a plain surface has next to none, and says nothing
BLOCK = 1024  # pictures compared at once with all later ones: 60 MB for 15,000


def perceptual_hash(tensor: NDArray[np.uint8]) -> bytes:
    """256 bits of a decoded image (299, 299, 3); none of one that has no structure."""
    from imagehash import phash

    bits = phash(Image.fromarray(tensor), hash_size=SIDE).hash.ravel()  # (256,)
    return np.packbits(bits).tobytes() if bits.sum() >= FEWEST_ONES else b""


def find_pairs(hashes: Sequence[bytes]) -> NDArray[np.int64]:
    """Pairs (P, 2) of indices of hashes that are near-duplicates; each pair once, the lower index first."""
    there = np.array([i for i, found in enumerate(hashes) if found], np.int64)
    packed = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(there), BITS // 8)
    signs = np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1  # (N, 256) of ± 1
    pairs = [np.empty((0, 2), np.int64)]
    for start in range(0, len(there), BLOCK):
        equal = signs[start : start + BLOCK] @ signs[start:].T  # bits that are equal minus bits that differ
        one, other = np.nonzero(equal >= BITS - 2 * MOST_DIFFERENT)
        pairs.append(np.column_stack([one, other])[one < other] + start)
    return there[np.concatenate(pairs)]
