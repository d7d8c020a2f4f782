"""Do scores mean what they say? Of answers that score 80 %, 80 % should be right."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10  # of equal width, by the first label's score
SIMULATIONS = 200  # of a perfect model, for the floor
SEED = 1


def calibration(scores: NDArray[np.float32], right: NDArray[np.bool_]) -> dict[str, Any]:
    """Describe first labels' scores (N,) and whether each was right (N,), as plain values for a manifest.

    ECE is the mean gap between score and share right, over bins. It is never 0: a perfect model of as many answers with these
    scores shows `floor` in the mean and no more than `floor_95` in 95 of 100 cases, so an ECE below that tells nothing.
    """
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)  # (N,)
    members = np.eye(BINS)[bins]  # (N, BINS)
    drawn = np.random.default_rng(SEED).random((SIMULATIONS, len(scores))) < scores
    floors = np.abs((drawn - scores) @ members).sum(axis=1) / len(scores)  # (SIMULATIONS,)
    return {
        "ece": float(np.abs((right - scores) @ members).sum() / len(scores)),
        "floor": float(floors.mean()),
        "floor_95": float(np.quantile(floors, 0.95)),
        "bins": [
            {
                "from": place / BINS,
                "n": int(inside.sum()),
                "score": float(scores[inside].mean()),
                "right": int(right[inside].sum()),
            }
            for place in range(BINS)
            if (inside := bins == place).any()
        ],
    }
