"""What is known of the request at hand, from its first line to its log entry."""

import time
from dataclasses import dataclass, field

from flask import g

from serving.inference import Prediction, Timings


@dataclass
class Record:
    """One request as it goes along."""

    request_id: str
    started: float = field(default_factory=time.perf_counter)
    source: str = ""  # how the image came: body, form, base64 or s3
    timings: Timings = field(default_factory=Timings)
    prediction: Prediction | None = None
    code: str = ""  # of the problem, where there is one


def record() -> Record:
    """The record of the request at hand."""
    current: Record = g.record
    return current
