import logging
import runpy
from types import SimpleNamespace

import pytest

from serving.settings import Settings, granted_cpus

CPUS = granted_cpus()


@pytest.mark.parametrize(
    ("asked", "processes", "threads"), [(None, CPUS, 1), ("1", 1, CPUS), (str(2 * CPUS), 2 * CPUS, 1)]
)
def test_the_cpus_are_shared_out_among_the_processes(monkeypatch, asked, processes, threads):
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    monkeypatch.delenv("THREADS", raising=False)
    if asked:
        monkeypatch.setenv("WEB_CONCURRENCY", asked)
    configuration = runpy.run_module("serving.gunicorn_conf")

    assert configuration["workers"] == processes
    assert Settings.from_environment(dict(pair.split("=") for pair in configuration["raw_env"])).threads == threads


def test_threads_that_are_set_stay_as_they_are(monkeypatch):
    monkeypatch.setenv("THREADS", "3")

    assert runpy.run_module("serving.gunicorn_conf")["raw_env"] == ["THREADS=3"]


def test_it_listens_on_every_address_at_the_platforms_port(monkeypatch):
    monkeypatch.setenv("PORT", "9123")

    assert runpy.run_module("serving.gunicorn_conf")["bind"] == "0.0.0.0:9123"


@pytest.mark.parametrize(("name", "value"), [("API_KEYS", "0" * 64), ("API_KEY_NEEDED", "yes"), ("PORT", "8080")])
def test_it_says_so_where_nobody_is_asked_for_a_key(monkeypatch, caplog, name, value):
    monkeypatch.setenv(name, value)
    runpy.run_module("serving.gunicorn_conf")["on_starting"](SimpleNamespace(log=logging.getLogger("gunicorn")))

    assert ("API_KEYS is not set" in caplog.text) == (name == "PORT")
