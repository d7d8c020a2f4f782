"""The golden images of a model: which test images they are, and as what copies they travel inside it.

Sure answers let much pass (docs/decisions.md): the least certain ones move first when a model is run wrongly.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.image import SIDE, Limits, decode, read_image
from training.dataset import Example

COUNT = 3  # each costs a cold start one decoding and one inference
LONGEST_SIDE = 320  # px; the model sees 299 × 299, and a cold start decodes three
QUALITY = 90  # of a JPEG


def choose_golden(scores: Mapping[Example, NDArray[np.float32]]) -> list[Example]:
    """The images whose first label is the least certain, each of another label."""
    chosen: dict[str, Example] = {}
    for example in sorted(scores, key=lambda example: float(scores[example].max())):
        chosen.setdefault(example.label, example)
    return list(chosen.values())[:COUNT]


def copies_of(examples: Sequence[Example], limits: Limits) -> list[bytes]:
    """The pictures as JPEGs without metadata."""
    return [_copy(read_image(example.path, limits), limits) for example in examples]


def _copy(data: bytes, limits: Limits) -> bytes:
    """What the model sees of a picture, in the picture's own proportions, so that decoding a copy has to squeeze it too."""
    decoded = decode(data, limits)
    scale = min(1, LONGEST_SIDE / max(decoded.width, decoded.height))
    width, height = (max(round(side * scale), Limits.min_side) for side in (decoded.width, decoded.height))
    buffer = BytesIO()
    Image.fromarray(decoded.tensor).resize((width, height)).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def tensors_of(copies: Sequence[bytes]) -> NDArray[np.uint8]:
    """The copies, decoded as serving will decode them: (N, 299, 299, 3)."""
    return np.array([decode(copy).tensor for copy in copies], np.uint8).reshape(-1, SIDE, SIDE, 3)
