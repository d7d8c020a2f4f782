"""A backbone: an image becomes a bottleneck, the numbers that the head learns from. It does not know which network it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Backbone:
    name: str
    weights: str  # imagenet, random, or a file's name
    sha256: str  # of the weights file
    # → a keras.Model: image uint8 (N, 299, 299, 3) → features float32 (N, D), by a last layer that is the mean over places
    build: Callable[[], Any]
    unfreeze_top: Callable[[Any], None]  # leaves only the top of what `build` made trainable
