"""One image → one result: read, decode, score, whatever is wrong with it.

It knows no journal and no table. Threads of this machine and actors of a Ray cluster name images by these lines alike, one image
to a run of an interpreter that has one thread: so both give the same bits.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from msgspec.structs import replace

from model.classifier import Classifier
from model.errors import RecognitionError, StoreMisconfigured
from model.image import Limits, decode, read_image
from model.stores.addresses import is_remote, split_address
from model.stores.objects import Bucket, open_bucket
from ops.bulk.items import Item
from serving.problems import problem_of
from serving.schemas import ImageFacts, Problem, Result


@dataclass(frozen=True)
class Wish:
    """How images are to be named."""

    limits: Limits
    top_k: int


@dataclass(frozen=True)
class Named:
    tag: str | None  # of the content; None where it could not be read
    result: Result | None  # None: the content is known from before


class Namer:
    """Names images, as many at a time as it has classifiers; `known` holds the tags of what need not be named again.

    Threads may share it: while some wait for what they read, others decode and score.
    """

    def __init__(self, classifiers: Sequence[Classifier], wish: Wish, known: Container[str]) -> None:
        self._wish, self._known = wish, known
        self._buckets: dict[str, Bucket] = {}
        self._free: SimpleQueue[Classifier] = SimpleQueue()
        for classifier in classifiers:
            self._free.put(classifier)

    def __call__(self, item: Item) -> Named:
        """Raises StoreMisconfigured alone: with no credentials no other image could be read either."""
        tag = item.tag
        try:
            data = self._read(item)
            if tag is None and (tag := sha256(data).hexdigest()) in self._known:
                return Named(tag, None)
            return Named(tag, self._name(data))
        except StoreMisconfigured:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, one image must not end a run of millions
            return Named(tag, Result(error=_problem(error)))

    def _name(self, data: bytes) -> Result:
        classifier = self._free.get()
        try:
            image = decode(data, self._wish.limits)
            outputs = classifier.engine.run(image.tensor[np.newaxis])
        finally:
            self._free.put(classifier)
        facts = ImageFacts(image.width, image.height, image.format)
        labels = classifier.rank(outputs.scores[0], self._wish.top_k)
        return Result(labels=labels, decision=classifier.decisions(outputs)[0], image=facts)

    def _read(self, item: Item) -> bytes:
        if not is_remote(item.name):
            return read_image(Path(item.name), self._wish.limits)
        name, key = split_address(item.name)
        if name not in self._buckets:
            self._buckets[name] = open_bucket(name)
        return self._buckets[name].read(key, self._wish.limits.max_bytes)


def _problem(error: Exception) -> Problem:
    """The service's own codes; the whole sentence, since whoever runs this is no stranger."""
    if isinstance(error, OSError):
        return Problem("Unreadable", 404, "unreadable", error.strerror or str(error))
    detail = str(error) if isinstance(error, RecognitionError) else f"{type(error).__name__}: {error}"
    return replace(problem_of(error), detail=detail)
