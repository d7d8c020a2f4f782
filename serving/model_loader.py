"""The model of this process: loaded by the first request that needs it, or ahead of it, and followed where its alias moves.

It knows no HTTP.

A request that comes when it is time to look where an alias points starts the look, in a thread; everybody is answered by the
model that is there until another one is loaded and proven. On Lambda nothing runs between requests: that one request waits.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread

from model.classifier import Classifier, load_version
from model.errors import ModelError, ModelNotFound, RecognitionError
from model.stores.uri import ModelURI, ModelVersion
from serving.settings import Settings
from serving.telemetry import Telemetry

STAND_INS = 5  # versions before the named one that are tried, while requests wait
BACK_OFF = 5  # s; how long a failed load is remembered: a broken store is not asked by every request
PATIENCE = 10  # s; the longest that a request on Lambda waits for a look, of the 29 that API Gateway gives it


@dataclass(frozen=True)
class Refresh:
    """How a running process comes by another model."""

    look: Callable[[Classifier], Classifier]  # returns the one to answer from now on: the same, or another
    every: float  # seconds
    patience: float  # seconds that the request which starts a look waits for it


class ModelLoader:
    """Loads by `load`, once, and keeps what it made. A failed load is remembered for BACK_OFF seconds."""

    def __init__(
        self,
        load: Callable[[], Classifier],
        clock: Callable[[], float] = time.time,  # not the monotonic one: time passes while Lambda freezes a process
        refresh: Refresh | None = None,
    ) -> None:
        self._load, self._refresh, self._clock = load, refresh, clock
        self._one_at_a_time = Lock()
        self._looking = Lock()
        self._failure: RecognitionError | None = None
        self._tried_at = 0.0  # on the clock: the last load, or the last look
        self.loaded: Classifier | None = None  # for readiness, and for who must not wait

    def get(self) -> Classifier:
        """Return the classifier, loading it if need be; callers that come meanwhile wait for that one load.

        Raises ModelError or StoreError.
        """
        if self.loaded is None:
            with self._one_at_a_time:
                if self.loaded is None:
                    self.loaded = self._try()
        elif self._refresh and self._passed(self._refresh.every) and self._looking.acquire(blocking=False):
            thread = Thread(target=self._look, args=(self._refresh, self.loaded), daemon=True)
            thread.start()
            thread.join(self._refresh.patience)
        return self.loaded

    def preload(self) -> None:
        """Load now, ahead of the first request; a failure is kept for the request that asks next."""
        with suppress(RecognitionError):
            self.get()

    def _try(self) -> Classifier:
        if self._failure is not None and not self._passed(BACK_OFF):
            raise self._failure.with_traceback(None)  # raised again and again: it must not drag every old trace along
        try:
            classifier = self._load()
        except RecognitionError as error:
            self._failure = error
            raise
        finally:
            self._tried_at = self._clock()
        return classifier

    def _passed(self, seconds: float) -> bool:
        """Whether so much time has passed since the last try; a clock that was set back counts as if it had."""
        return not 0 <= self._clock() - self._tried_at < seconds

    def _look(self, refresh: Refresh, current: Classifier) -> None:
        try:
            self.loaded = refresh.look(current)
        finally:
            self._tried_at = self._clock()
            self._looking.release()


class Versions:
    """The versions that a URI names, loaded by `load`.

    One that is incomplete, corrupt, made for other code or off on its golden images is refused, and `telemetry` is told; what
    served before goes on serving.
    """

    def __init__(self, uri: ModelURI, load: Callable[[ModelVersion], Classifier], telemetry: Telemetry) -> None:
        self._uri, self._load, self._telemetry = uri, load, telemetry
        self._refused: dict[int, ModelError] = {}  # a version never changes, so neither does what is wrong with it

    def first(self) -> Classifier:
        """Load the version that is named, or else the last good one before it. Raises ModelError or StoreError."""
        faults = []
        for version in self._uri.versions()[: 1 + STAND_INS]:
            try:
                return self._load(version)
            except ModelError as error:
                self._refuse(version, error)
                faults.append(error)
        raise faults[0]

    def newer(self, current: Classifier) -> Classifier:
        """Return the version that is named now, loaded, if it is another than `current` and nothing is wrong with it."""
        try:
            named = self._uri.versions()[0]
            return current if named.number == current.version else self._proven(named, current)
        except Exception as error:  # noqa: BLE001 - whatever happens, what serves goes on serving
            self._telemetry.failed({"model": self._uri.name}, error)
            return current

    def _proven(self, named: ModelVersion, current: Classifier) -> Classifier:
        try:
            if named.number in self._refused:
                raise self._refused[named.number].with_traceback(None)
            return self._load(named)
        except ModelError as error:
            self._refuse(named, error)  # at every look, so that the alarm lasts as long as this version is named
            return current

    def _refuse(self, version: ModelVersion, error: ModelError) -> None:
        self._refused[version.number] = error
        self._telemetry.refused({"model": version.name, "version": version.number}, error)


def open_model_loader(settings: Settings, telemetry: Telemetry) -> ModelLoader:
    """The loader of the model that the settings name; nothing is read yet."""
    if not settings.model_uri:
        return ModelLoader(_unnamed)
    uri = ModelURI.parse(settings.model_uri)
    versions = Versions(
        uri,
        lambda version: load_version(version, settings.engine, settings.threads, settings.model_cache),
        telemetry,
    )
    if uri.version:  # pinned: it never changes
        return ModelLoader(versions.first)
    patience = PATIENCE if settings.on_lambda else 0
    return ModelLoader(versions.first, refresh=Refresh(versions.newer, settings.model_refresh_seconds, patience))


def _unnamed() -> Classifier:
    raise ModelNotFound(
        "no model is named: set MODEL_URI to <store>/<name>, <store>/<name>/<version> or <store>/<name>@<alias>"
    )
