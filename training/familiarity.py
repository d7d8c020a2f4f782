"""How far an image is from what was taught: what its features hold outside the span of the training features.

The residual after the first principal directions (docs/decisions.md has what it was chosen from). Nothing is random, and no
threshold is set here: whoever sets one must use distances of images that were not fitted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIRECTIONS = 64  # at most; more do not tell unknown images apart better
IMAGES_A_DIRECTION = 4  # at least; a direction of fewer images describes those images, not what they show


@dataclass(frozen=True, eq=False)
class Familiarity:
    """What the training features span: distance = ‖y − D Dᵀ y‖, where y = f / ‖f‖ − mean."""

    mean: NDArray[np.float32]  # (D,)
    directions: NDArray[np.float32]  # (D, R), orthonormal columns


def fit_familiarity(features: NDArray[np.float32]) -> Familiarity:
    """Learn from features (N, D) of what was taught."""
    centred = _normalise(features)  # (N, D)
    mean = centred.mean(axis=0)
    centred -= mean  # in place: for 15,000 images each copy is 120 MB
    return Familiarity(mean, _principal(centred, count_directions(*features.shape)))


def count_directions(images: int, width: int) -> int:
    """How many principal directions so many images, of features so wide, are described by."""
    return max(1, min(DIRECTIONS, images // IMAGES_A_DIRECTION, width // 2))


def distances(features: NDArray[np.float32], familiarity: Familiarity) -> NDArray[np.float32]:
    """Distances (N,) of features (N, D): 0 is within what was taught, 1 shares next to nothing with it."""
    centred = _normalise(features) - familiarity.mean  # (N, D)
    along = centred @ familiarity.directions  # (N, R)
    left = (centred**2).sum(axis=1) - (along**2).sum(axis=1)  # (N,); the directions are orthonormal
    found: NDArray[np.float32] = np.sqrt(np.maximum(left, 0))
    return found


def _normalise(features: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.sqrt(np.einsum("nd,nd->n", features, features))[:, np.newaxis]  # (N, 1); norm() copies what it squares
    unit: NDArray[np.float32] = features / np.maximum(
        lengths, np.float32(1e-6)
    )  # as TensorFlow Lite's L2_NORMALIZATION
    return unit


def _principal(centred: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The first principal directions (D, count), by eigenvectors of the smaller of the two products of the features.

    For 1,500 × 2,048 that took 1.4 s on a busy machine; scikit-learn's PCA takes 2.2 s by ARPACK, 9 s by covariances, 18 s
    by a full decomposition, and its random solver is off by 0.02.
    """
    from scipy.linalg import eigh, qr

    few = len(centred) < centred.shape[1]
    product = centred @ centred.T if few else centred.T @ centred
    _, vectors = eigh(product, subset_by_index=[len(product) - count, len(product) - 1])
    directions: NDArray[np.float32]
    directions, _ = qr(centred.T @ vectors if few else vectors, mode="economic")  # orthonormal whatever the rank
    return directions
