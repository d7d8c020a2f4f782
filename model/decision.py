"""Whether an answer may be relied on: by thresholds that the training found on images which the head had not seen.

It knows neither how thresholds are found nor what is done with a decision.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

Share = Annotated[float, Meta(ge=0, le=1)]


class Decision(StrEnum):
    ACCEPTED = "accepted"
    UNCERTAIN = "uncertain"  # the first label scores less than it takes to be right often enough
    UNKNOWN = "unknown"  # the image is unlike all that was taught: its scores say nothing


@dataclass(frozen=True)
class Thresholds:
    """When an answer is accepted: from scores and distances of images that the head had not seen."""

    precision: Share  # of accepted answers that is wished for
    labels: tuple[
        Share | None, ...
    ]  # in score order: least score of a first label; None: no score reaches the precision
    distance: Annotated[float, Meta(ge=0)] | None  # an image beyond it is unlike what was taught; None: too few to say
    false_alarms: Share  # of known images that lie beyond `distance`


def decide(thresholds: Thresholds, scores: NDArray[np.float32], distance: float | None) -> Decision:
    """Judge one image's scores (K,) and its distance; without a distance nothing is unknown."""
    if distance is not None and thresholds.distance is not None and not distance <= thresholds.distance:  # NaN too
        return Decision.UNKNOWN
    best = int(scores.argmax())
    least = thresholds.labels[best]
    return Decision.UNCERTAIN if least is None or not scores[best] >= least else Decision.ACCEPTED
