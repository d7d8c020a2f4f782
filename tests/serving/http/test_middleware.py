import pytest

from serving.http.app import create_app
from serving.model_loader import ModelLoader
from serving.settings import Settings
from tests.support.fakes import base64_of, colour_classifier, picture

RED = picture("red")
KEY = "never-in-a-log"


def test_a_request_leaves_one_line_that_tells_what_it_was_and_took(client, telemetry):
    client.post("/v1/classify", data=RED, content_type="image/jpeg", headers={"X-Request-Id": "abc"})
    [line] = telemetry.lines
    times = {name: line[name] for name in ("ms", "read_ms", "decode_ms", "infer_ms", "load_ms")}
    assert all(isinstance(time, float) and time >= 0 for time in times.values())
    assert {name: value for name, value in line.items() if name not in times} == {
        "request_id": "abc",
        "method": "POST",
        "path": "/v1/classify",
        "status": 200,
        "source": "body",
        "bytes": len(RED),
        "formats": ["JPEG"],
        "cold": True,
        "images": 1,
        "failures": 0,
        "model": "colours",
        "version": 3,
        "engine": "litert",
        "label": "red",
        "score": line["score"],
    }


def test_only_the_request_that_found_no_model_is_cold(client, telemetry):
    for _ in range(2):
        client.post("/v1/classify", data=RED)
    assert [line["cold"] for line in telemetry.lines] == [True, False]
    assert ["load_ms" in line for line in telemetry.lines] == [True, False]


@pytest.mark.parametrize(
    ("request_body", "source"),
    [({"image": {"bytes": base64_of(RED)}}, "base64"), ({"image": {"s3": {"bucket": "b", "key": "k"}}}, "s3")],
)
def test_the_line_tells_how_the_image_came(client, telemetry, request_body, source):
    client.post("/v1/classify", json=request_body)
    assert telemetry.lines[0]["source"] == source


def test_a_batch_tells_how_many_failed(client, telemetry):
    client.post("/v1/classify", json={"images": [{"bytes": base64_of(RED)}, {"bytes": "%"}]})
    assert (telemetry.lines[0]["images"], telemetry.lines[0]["failures"]) == (2, 1)


def test_a_refusal_tells_its_code(client, telemetry):
    client.post("/v1/classify", data=b"hello")
    assert (telemetry.lines[0]["status"], telemetry.lines[0]["code"]) == (415, "unsupported_image")


def test_no_line_holds_an_image_a_key_or_a_query(telemetry):
    def fail():
        raise ZeroDivisionError

    for holder in (ModelLoader(colour_classifier), ModelLoader(fail)):
        client = create_app(Settings(), holder, telemetry).test_client()
        keyed = {"X-Api-Key": KEY, "Authorization": KEY, "Cookie": KEY}
        for body in (RED, RED[:300], b"hello " * 9):
            client.post(f"/v1/classify?signature={KEY}", data=body, headers=keyed)
            client.post("/v1/classify", data=body, headers=keyed)
            client.post("/v1/classify", json={"image": {"bytes": base64_of(body)}}, headers=keyed)
    written = repr(telemetry.lines) + repr(telemetry.failures)
    assert len(telemetry.lines) == 18
    assert telemetry.failures
    assert KEY not in written
    assert base64_of(RED)[:16] not in written
    assert repr(RED[:8])[2:-1] not in written
    assert "hello" not in written
