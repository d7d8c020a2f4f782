"""Encoded images → tensors → scores, for one request. It knows no HTTP: the app, the dialect and tests call it alike.

An image that cannot be read or decoded is a value here, not an exception: in a batch the others go on.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore

import numpy as np
from numpy.typing import NDArray

from model.classifier import Classifier
from model.decision import Decision
from model.errors import RecognitionError
from model.image import SIDE, DecodedImage, Limits, decode
from serving.errors import Busy
from serving.model_loader import ModelLoader

Read = Callable[[], bytes]  # gives an image's encoded bytes when they are wanted: base64 and S3 are read late
Outcome = DecodedImage | RecognitionError

PARALLEL = 4  # images of a batch that are read and decoded at a time; one may take 150 MB


@dataclass
class Timings:
    """What one request took, for Server-Timing and the log. Milliseconds are summed over its images."""

    bytes: int = 0  # of encoded images
    formats: list[str] = field(default_factory=list)
    read_ms: float = 0.0
    decode_ms: float = 0.0
    cold: bool = False  # it found no model loaded
    load_ms: float = 0.0  # spent on getting one
    infer_ms: float = 0.0


@dataclass(frozen=True)
class DecodeResult:
    """One image, read and decoded, or why not."""

    outcome: Outcome
    bytes: int
    read_ms: float
    decode_ms: float


@dataclass(frozen=True)
class Prediction:
    classifier: Classifier
    outcomes: list[Outcome]  # one an image, in order
    scores: list[NDArray[np.float32]]  # (K,) for each of `images`
    decisions: list[Decision | None]  # likewise; None: the model cannot judge its answers
    maps: list[NDArray[np.float32]]  # (8, 8, K) likewise; none at all: the model cannot say where it sees what it sees

    @property
    def images(self) -> list[DecodedImage]:
        return [outcome for outcome in self.outcomes if isinstance(outcome, DecodedImage)]


class Recogniser:
    """Does the work of requests, of at most `max_in_flight` at once: each may hold a large decoded picture."""

    def __init__(self, models: ModelLoader, limits: Limits, max_in_flight: int) -> None:
        self._models, self._limits = models, limits
        self._slots = BoundedSemaphore(max_in_flight)

    def recognise(self, reads: Sequence[Read], timings: Timings, batch: bool) -> Prediction:
        """Score every image. Of a batch each has its own outcome; the error of an image alone is raised, and costs no model.

        Raises Busy, ModelError or StoreError; for an image alone also ImageError or RequestError.
        """
        with self._slot():
            outcomes = self._decode(reads, timings)
            if not batch and isinstance(outcomes[0], RecognitionError):
                raise outcomes[0]
            return self._score(outcomes, timings)

    def recognise_pixels(self, tensors: NDArray[np.uint8], timings: Timings) -> Prediction:
        """Score images that come as tensors (N, 299, 299, 3). Raises Busy, ModelError or StoreError."""
        with self._slot():
            return self._score([DecodedImage(tensor, SIDE, SIDE, "pixels") for tensor in tensors], timings)

    def classifier(self, timings: Timings) -> Classifier:
        """The model that answers, loaded now if it was not yet. Raises ModelError or StoreError."""
        timings.cold = timings.cold or self._models.loaded is None
        started = time.perf_counter()
        classifier = self._models.get()
        timings.load_ms += milliseconds_since(started)
        return classifier

    def _score(self, outcomes: list[Outcome], timings: Timings) -> Prediction:
        tensors = [outcome.tensor for outcome in outcomes if isinstance(outcome, DecodedImage)]
        classifier = self.classifier(timings)
        started = time.perf_counter()
        if not tensors:
            return Prediction(classifier, outcomes, [], [], [])
        outputs = classifier.engine.run(np.stack(tensors))
        timings.infer_ms = milliseconds_since(started)
        maps = [] if outputs.maps is None else list(outputs.maps)
        return Prediction(classifier, outcomes, list(outputs.scores), classifier.decisions(outputs), maps)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(blocking=False):
            raise Busy("too many requests are at work here: try again in a moment")
        try:
            yield
        finally:
            self._slots.release()

    def _decode(self, reads: Sequence[Read], timings: Timings) -> list[Outcome]:
        opened = [self._open(reads[0])] if len(reads) == 1 else _in_parallel(self._open, reads)
        for image in opened:
            timings.bytes += image.bytes
            timings.read_ms += image.read_ms
            timings.decode_ms += image.decode_ms
            timings.formats += [image.outcome.format] if isinstance(image.outcome, DecodedImage) else []
        return [image.outcome for image in opened]

    def _open(self, read: Read) -> DecodeResult:
        started, data, read_ms = time.perf_counter(), b"", 0.0
        outcome: Outcome
        try:
            data = read()
            read_ms = milliseconds_since(started)
            outcome = decode(data, self._limits)
        except RecognitionError as error:
            outcome = error
        return DecodeResult(outcome, len(data), read_ms, milliseconds_since(started) - read_ms)


def _in_parallel(open: Callable[[Read], DecodeResult], reads: Sequence[Read]) -> list[DecodeResult]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(open, reads))


def milliseconds_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
