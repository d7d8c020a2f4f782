"""The model of this process: loaded once, by the first request that needs it. It knows no HTTP."""

import time
from collections.abc import Callable
from threading import Lock

from model.classifier import Classifier, load_classifier
from model.errors import ModelNotFound, RecognitionError
from serving.problems import RETRY_AFTER
from serving.settings import Settings


class ModelHolder:
    """Holds what `load` makes. A failed load is remembered for a while, so that a broken store is not stormed."""

    def __init__(self, load: Callable[[], Classifier], clock: Callable[[], float] = time.monotonic) -> None:
        self._load, self._clock = load, clock
        self._one_at_a_time = Lock()
        self._failure: RecognitionError | None = None
        self._retry_at = 0.0  # on the clock
        self.loaded: Classifier | None = None  # for readiness, and for who must not wait

    def get(self) -> Classifier:
        """Return the classifier, loading it if need be; callers that come meanwhile wait for that one load.

        Raises ModelError or StoreError.
        """
        if self.loaded is None:
            with self._one_at_a_time:
                if self.loaded is None:
                    self.loaded = self._try()
        return self.loaded

    def _try(self) -> Classifier:
        if self._failure is not None and self._clock() < self._retry_at:
            raise self._failure.with_traceback(None)  # raised again and again: it must not drag every old trace along
        try:
            return self._load()
        except RecognitionError as error:
            self._failure, self._retry_at = error, self._clock() + RETRY_AFTER
            raise


def open_models(settings: Settings) -> ModelHolder:
    """The holder of the model that the settings name; nothing is read yet."""

    def load() -> Classifier:
        if not settings.model_uri:
            raise ModelNotFound("no model is named: set MODEL_URI to <store>/<name> or <store>/<name>/<version>")
        return load_classifier(settings.model_uri, settings.engine, settings.threads, settings.cache)

    return ModelHolder(load)
