"""The app around its endpoints: addresses, a model that cannot be had, and what breaks inside."""

import dataclasses
import re
from threading import Event, Thread

import pytest

from model.errors import ModelCorrupt, ModelNotFound, StoreUnavailable
from serving.http.app import create_app
from serving.model_loader import ModelLoader
from serving.problems import RETRY_AFTER
from serving.settings import Settings
from tests.support.fakes import ColourEngine, ListTelemetry, colour_classifier, picture
from tests.support.problems import problem

RED = picture("red")


def test_an_unknown_address_or_method_is_a_problem_too(client):
    missing, method = client.get("/v2/classify"), client.get("/v1/classify")
    assert (missing.status_code, problem(missing)["code"]) == (404, "not_found")
    assert (method.status_code, problem(method)["code"]) == (405, "method_not_allowed")
    assert "POST" in method.headers["Allow"]


def test_a_trailing_slash_costs_no_redirect(client):
    assert client.get("/health/").status_code == 200


@pytest.mark.parametrize("host", ["", "a b", "[", "evil.example:port"])
def test_a_broken_host_header_is_no_fault_of_ours(client, host):
    assert client.get("/health", headers={"Host": host}).status_code < 500


@pytest.mark.parametrize("error", [ModelNotFound, ModelCorrupt, StoreUnavailable])
def test_without_a_model_the_caller_is_told_when_to_come_back(error, telemetry):
    def fail():
        raise error("s3://our-bucket/flowers does not exist")

    client = create_app(Settings(), ModelLoader(fail), telemetry).test_client()
    response = client.post("/v1/classify", data=RED)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == str(RETRY_AFTER)
    assert "our-bucket" not in response.text
    assert "our-bucket" in str(telemetry.failures[0][1])
    assert client.get("/ready").status_code == 503
    assert client.get("/health").status_code == 200


def test_a_refused_image_needs_no_model(telemetry):
    def load():
        raise AssertionError("a rejected request does not load the model")

    client = create_app(Settings(), ModelLoader(load), telemetry).test_client()
    assert client.post("/v1/classify", data=b"hello").status_code == 415


def test_what_breaks_inside_is_told_without_its_details(telemetry):
    def load():
        raise ZeroDivisionError("secret detail")

    client = create_app(Settings(), ModelLoader(load), telemetry).test_client()
    response = client.post("/v1/classify", data=RED)
    assert (response.status_code, problem(response)["code"]) == (500, "internal")
    assert "secret detail" not in response.text
    assert "Traceback" not in response.text
    assert isinstance(telemetry.failures[0][1], ZeroDivisionError)


def test_more_requests_than_a_process_may_hold_are_told_to_wait(telemetry):
    entered, leave = Event(), Event()

    class SlowEngine(ColourEngine):
        def run(self, images):
            entered.set()
            leave.wait(10)
            return super().run(images)

    classifier = colour_classifier()
    slow = type(classifier)(SlowEngine(), classifier.manifest, classifier.version)
    app = create_app(Settings(max_in_flight=1), ModelLoader(lambda: slow), telemetry)
    first = Thread(target=lambda: app.test_client().post("/v1/classify", data=RED))
    first.start()
    entered.wait(10)
    response = app.test_client().post("/v1/classify", data=RED)
    leave.set()
    first.join()
    assert (response.status_code, problem(response)["code"]) == (429, "busy")
    assert response.headers["Retry-After"] == str(RETRY_AFTER)
    assert app.test_client().post("/v1/classify", data=RED).status_code == 200


def test_a_request_keeps_its_own_id_unless_it_would_harm_the_log(client):
    given = client.get("/health", headers={"X-Request-Id": "trace-7"}).headers["X-Request-Id"]
    made = client.get("/health", headers={"X-Request-Id": '"forged": "line"'}).headers["X-Request-Id"]
    assert given == "trace-7"
    assert re.fullmatch(r"[0-9a-f-]{36}", made)


def test_the_model_describes_itself(client):
    card = client.get("/v1/model").get_json()
    assert (card["name"], card["version"], card["engine"]) == ("colours", 3, "litert")
    assert card["labels"] == ["blue", "green", "red"]
    assert card["metrics"]["litert"]["n"] == 30
    assert card["digests"] == {"assets.extra/labels.txt": "0" * 64}
    assert card["card"] is None  # as of a model that was made before there were cards


def test_the_model_shows_its_card():
    carded = dataclasses.replace(colour_classifier(), card="# Model card: colours\n")
    client = create_app(Settings(), ModelLoader(lambda: carded), ListTelemetry()).test_client()
    assert client.get("/v1/model").get_json()["card"] == "# Model card: colours\n"


def test_readiness_loads_the_model():
    holder = ModelLoader(colour_classifier)
    client = create_app(Settings(), holder, ListTelemetry()).test_client()
    assert client.get("/health").get_json() == {"status": "ok"}
    assert holder.loaded is None
    assert client.get("/ready").get_json() == {"model": {"name": "colours", "version": 3}, "engine": "litert"}
    assert holder.loaded is not None
