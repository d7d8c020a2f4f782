"""Where in a picture the first label comes from: class activation maps, exact for a linear head behind a mean over places.

Zhou et al., "Learning Deep Features for Discriminative Localization", 2016. Logits share a constant that no score depends on,
so each place's mean over the labels is taken off: what is left speaks for the label where it is positive, against it where
it is negative.
"""

import numpy as np
from numpy.typing import NDArray


def heat_map(maps: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each place's share (8, 8) of the first label's log-odds against the mean of all labels, from maps (8, 8, K), scores (K,)."""
    found: NDArray[np.float32] = maps[..., scores.argmax()] - maps.mean(axis=-1)
    return found
