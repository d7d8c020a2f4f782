from threading import Barrier, Thread

import pytest

from model.errors import ModelNotFound, StoreUnavailable
from serving.model_loader import BACK_OFF, ModelLoader, Refresh, open_model_loader
from serving.settings import Settings
from tests.support.fakes import ListTelemetry, colour_classifier


class Loader:
    """Fails as often as it is told, then gives a classifier; counts what it was asked for."""

    def __init__(self, failures: int = 0) -> None:
        self.calls, self.failures = 0, failures

    def __call__(self):
        self.calls += 1
        if self.calls <= self.failures:
            raise StoreUnavailable(f"failure {self.calls}")
        return colour_classifier()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_loaded_before_it_is_wanted():
    load = Loader()
    assert ModelLoader(load).loaded is None
    assert load.calls == 0


def test_the_model_is_loaded_once():
    load = Loader()
    loader = ModelLoader(load)
    assert loader.get() is loader.get() is loader.loaded
    assert load.calls == 1


def test_first_requests_at_once_load_once():
    together, got = Barrier(8), []
    load = Loader()
    loader = ModelLoader(load)

    def first_request():
        together.wait()
        got.append(loader.get())

    threads = [Thread(target=first_request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load.calls == 1
    assert len({id(classifier) for classifier in got}) == 1


def test_a_failed_load_is_not_repeated_at_once():
    load = Loader(failures=1)
    loader = ModelLoader(load, Clock())
    for _ in range(5):
        with pytest.raises(StoreUnavailable, match="failure 1"):
            loader.get()
    assert load.calls == 1


def test_a_failed_load_is_tried_again_after_a_while():
    load, clock = Loader(failures=1), Clock()
    loader = ModelLoader(load, clock)
    with pytest.raises(StoreUnavailable):
        loader.get()
    clock.now += BACK_OFF
    assert loader.get() is loader.loaded


def test_a_load_that_fails_ahead_of_requests_is_told_to_the_first_and_tried_again():
    clock, load = Clock(), Loader(failures=1)
    loader = ModelLoader(load, clock)
    loader.preload()
    with pytest.raises(StoreUnavailable, match="failure 1"):
        loader.get()
    clock.now += BACK_OFF
    assert loader.get() is loader.loaded


def test_a_missing_setting_says_which_to_set():
    with pytest.raises(ModelNotFound, match="set MODEL_URI"):
        open_model_loader(Settings(), ListTelemetry()).get()


def test_the_named_model_is_loaded(tiny_model):
    classifier = open_model_loader(Settings(model_uri=tiny_model), ListTelemetry()).get()
    assert classifier.manifest.name == "tiny"
    assert classifier.version == 1


def test_a_clock_that_is_set_back_delays_neither_a_new_try_nor_a_look():
    clock, faults = Clock(), [StoreUnavailable("away")]

    def load():
        if faults:
            raise faults.pop()
        return colour_classifier()

    looks = []
    loader = ModelLoader(load, clock, Refresh(lambda current: looks.append(clock()) or current, every=60, patience=9))
    with pytest.raises(StoreUnavailable):
        loader.get()
    clock.now -= 3600
    assert loader.get().version == 3
    clock.now -= 3600
    loader.get()
    assert len(looks) == 1
