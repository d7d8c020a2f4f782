"""The image for any other container platform: the same app under gunicorn."""

import base64
import json
import time

import pytest

from tests.events import load_event

SLIM = ("--build-arg", "ENGINES=litert", "--build-arg", "MODEL=tiny", "--target", "server")
PORT = 9000
OPTIONS = ["--memory", "512m", "--cpus", "1", "--env", f"PORT={PORT}", "--health-interval", "1s"]
PICTURE = base64.b64decode(load_event("apigateway-v1-image")["body"])


@pytest.fixture
def server(engine, build):
    with engine.container(build(*SLIM), *OPTIONS) as server:
        yield server


def test_it_listens_where_the_platform_says_and_names_images(server):
    assert server.request("GET", "/ready", port=PORT)[0] == 200
    status, text = server.request("POST", "/v1/classify", PICTURE, PORT)

    assert (status, json.loads(text)["labels"][0]["name"]) == (200, "green")


def test_its_health_check_passes(server, engine):
    deadline = time.monotonic() + 30
    while (
        health := engine.run("inspect", "--format", "{{.State.Health.Status}}", server.id).stdout.strip()
    ) == "starting":
        assert time.monotonic() < deadline
        time.sleep(0.2)

    assert health == "healthy"


def test_it_ends_at_once_when_it_is_told_to(server):
    server.request("GET", "/health", port=PORT)
    started = time.monotonic()

    assert server.stop() == 0
    assert time.monotonic() - started < 10
