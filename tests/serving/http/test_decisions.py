"""What an answer says of itself: whether it may be relied on, and where it comes from."""

from io import BytesIO

import numpy as np
import pytest

from serving.http.app import create_app
from serving.model_loader import ModelLoader
from serving.settings import Settings
from tests.support.fakes import (
    THRESHOLDS,
    ListTelemetry,
    base64_of,
    colour_app,
    colour_classifier,
    picture,
)

MIXED, WHITE = "yellow", "white"  # red and green alike; all of them


@pytest.fixture
def telemetry():
    return ListTelemetry()


@pytest.fixture
def client(telemetry):
    return colour_app(thresholds=THRESHOLDS, telemetry=telemetry).test_client()


DECIDED = pytest.mark.parametrize(
    ("colour", "decision"), [("red", "accepted"), (MIXED, "uncertain"), (WHITE, "unknown")]
)


@DECIDED
def test_an_answer_says_whether_it_may_be_relied_on(client, telemetry, colour, decision):
    body = client.post("/v1/classify", data=picture(colour)).get_json()
    assert body["decision"] == decision
    assert len(body["labels"]) == 3  # the labels stay: who asks may judge otherwise
    [line] = telemetry.lines
    assert line["decision"] == decision
    assert line["decisions"] == {decision: 1}


def test_each_image_of_a_batch_has_its_decision_and_what_is_no_image_none(client, telemetry):
    images = [{"bytes": base64_of(picture(colour))} for colour in ("red", WHITE, "blue")]
    results = client.post("/v1/classify", json={"images": [{"bytes": "%"}, *images]}).get_json()["results"]
    assert [result.get("decision") for result in results] == [None, "accepted", "unknown", "accepted"]
    assert telemetry.lines[0]["decision"] == "accepted"
    assert telemetry.lines[0]["decisions"] == {"accepted": 2, "unknown": 1}


def test_an_older_model_answers_as_before(telemetry):
    client = colour_app(telemetry=telemetry).test_client()
    body = client.post("/v1/classify", data=picture(WHITE)).get_json()
    assert sorted(body) == ["image", "labels", "model", "request_id"]
    assert "decision" not in telemetry.lines[0]
    assert "decisions" not in telemetry.lines[0]
    assert client.get("/v1/model").get_json()["thresholds"] is None


def test_the_model_shows_what_it_decides_by(client):
    assert client.get("/v1/model").get_json()["thresholds"] == {
        "precision": 0.95,
        "labels": [0.6, 0.6, 0.6],
        "distance": 0.9,
        "false_alarms": 0.05,
    }


def half_red() -> bytes:
    from PIL import Image

    image = Image.new("RGB", (80, 80), "black")
    image.paste("red", (0, 0, 40, 80))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "ask",
    [
        {"query_string": "explain=true", "data": half_red()},
        {"query_string": "explain=1", "data": half_red()},
        {"json": {"image": {"bytes": base64_of(half_red())}, "explain": True}},
        {"data": {"image": (BytesIO(half_red()), "a.png"), "explain": "true"}},
    ],
)
def test_a_heat_map_says_where_the_first_label_comes_from(client, ask):
    heat = np.array(client.post("/v1/classify", **ask).get_json()["heat_map"])
    assert heat.shape == (8, 8)
    assert (heat[:, :3] > 3).all()
    assert (np.abs(heat[:, 5:]) < 0.5).all()


def test_a_heat_map_comes_only_where_it_is_asked_for(client):
    image = {"bytes": base64_of(half_red())}
    assert "heat_map" not in client.post("/v1/classify", json={"image": image}).get_json()
    asked = {"image": image, "explain": False}
    assert "heat_map" not in client.post("/v1/classify?explain=true", json=asked).get_json()
    results = client.post("/v1/classify", json={"images": [image, image], "explain": True}).get_json()["results"]
    assert all(len(result["heat_map"]) == 8 for result in results)


@pytest.mark.parametrize("query", ["explain=please", "explain=2", "explain="])
def test_explain_is_yes_or_no(client, query):
    response = client.post(f"/v1/classify?{query}", data=half_red())
    assert response.status_code == 400
    assert "explain" in response.get_json()["detail"]


def test_a_model_that_cannot_say_where_leaves_the_heat_map_out(telemetry):
    from model.classifier import Classifier
    from model.engine import Outputs
    from tests.support.fakes import ColourEngine

    class Older(ColourEngine):
        def run(self, images):
            return Outputs(super().run(images).scores)

    older = Classifier(Older(), colour_classifier().manifest, 1)
    client = create_app(Settings(), ModelLoader(lambda: older), telemetry).test_client()
    assert "heat_map" not in client.post("/v1/classify?explain=true", data=half_red()).get_json()


@DECIDED
def test_tensorflow_servings_dialect_keeps_its_one_output_and_is_counted(client, telemetry, colour, decision):
    rows = {"instances": [{"b64": base64_of(picture(colour))}]}
    [row] = client.post("/v1/models/colours:predict", json=rows).get_json()["predictions"]
    assert sorted(row) == ["classes", "scores"]
    assert telemetry.lines[0]["decisions"] == {decision: 1}
