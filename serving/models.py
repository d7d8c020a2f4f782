"""The model of this process: loaded by the first request that needs it, or ahead of it, and followed where its alias moves.

It knows no HTTP.

A request that comes when it is time to look starts the look, in a thread; everybody is answered by the model that is there
until another one is loaded and proven. On Lambda nothing runs between requests, so that one request waits for its look.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread

from model.classifier import Classifier, load_place
from model.errors import ModelNotFound, RecognitionError
from model.store import Address
from serving.journal import Journal, LogJournal
from serving.problems import RETRY_AFTER
from serving.settings import Settings
from serving.versions import Versions

PATIENCE = 10  # s; the longest that a request on Lambda waits for a look, of the 29 that API Gateway gives it


@dataclass(frozen=True)
class Renewal:
    """How a running process comes by another model."""

    look: Callable[[Classifier], Classifier]  # returns the one to answer from now on: the same, or another
    every: float  # seconds
    patience: float  # seconds that the request which starts a look waits for it


class ModelHolder:
    """Holds what `load` makes. A failed load is remembered for a while, so that a broken store is not stormed."""

    def __init__(
        self,
        load: Callable[[], Classifier],
        clock: Callable[[], float] = time.time,  # not the monotonic one: time passes while Lambda freezes a process
        renewal: Renewal | None = None,
    ) -> None:
        self._load, self._renewal, self._clock = load, renewal, clock
        self._one_at_a_time = Lock()
        self._looking = Lock()
        self._failure: RecognitionError | None = None
        self._next_at = 0.0  # on the clock: the next try after a failure, the next look after a success
        self.loaded: Classifier | None = None  # for readiness, and for who must not wait

    def get(self) -> Classifier:
        """Return the classifier, loading it if need be; callers that come meanwhile wait for that one load.

        Raises ModelError or StoreError.
        """
        if self.loaded is None:
            with self._one_at_a_time:
                if self.loaded is None:
                    self.loaded = self._try()
        elif self._renewal and self._clock() >= self._next_at and self._looking.acquire(blocking=False):
            thread = Thread(target=self._look, args=(self._renewal, self.loaded), daemon=True)
            thread.start()
            thread.join(self._renewal.patience)
        return self.loaded

    def prepare(self) -> None:
        """Load now, ahead of the first request; what fails is told to whoever asks, and tried again."""
        with suppress(RecognitionError):
            self.get()

    def _try(self) -> Classifier:
        if self._failure is not None and self._clock() < self._next_at:
            raise self._failure.with_traceback(None)  # raised again and again: it must not drag every old trace along
        try:
            classifier = self._load()
        except RecognitionError as error:
            self._failure, self._next_at = error, self._clock() + RETRY_AFTER
            raise
        self._next_at = self._clock() + (self._renewal.every if self._renewal else 0)
        return classifier

    def _look(self, renewal: Renewal, current: Classifier) -> None:
        try:
            self.loaded = renewal.look(current)
        finally:
            self._next_at = self._clock() + renewal.every
            self._looking.release()


def open_models(settings: Settings, journal: Journal | None = None) -> ModelHolder:
    """The holder of the model that the settings name; nothing is read yet."""
    if not settings.model_uri:
        return ModelHolder(_unnamed)
    address = Address.parse(settings.model_uri)
    versions = Versions(
        address,
        lambda place: load_place(place, settings.engine, settings.threads, settings.cache),
        journal or LogJournal(settings.log_level, settings.metrics, settings.service),
    )
    if address.version:  # pinned: it never changes
        return ModelHolder(versions.first)
    patience = PATIENCE if settings.metrics else 0
    return ModelHolder(versions.first, renewal=Renewal(versions.newer, settings.model_refresh, patience))


def _unnamed() -> Classifier:
    raise ModelNotFound(
        "no model is named: set MODEL_URI to <store>/<name>, <store>/<name>/<version> or <store>/<name>@<alias>"
    )
