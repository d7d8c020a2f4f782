"""Who may call where the app itself asks for a key."""

import hashlib
import json
import subprocess
import sys

import pytest
from openapi_spec_validator import validate

from serving.errors import SettingsError
from serving.http.openapi import describe
from serving.settings import Settings
from tests import ROOT
from tests.support.fakes import ListTelemetry, colour_app, picture

KEY, OTHER = "first-key", "second-key"
DIGESTS = tuple(hashlib.sha256(key.encode()).hexdigest() for key in (KEY, OTHER))
SETTINGS = Settings(api_keys=DIGESTS, aip_health_route="/alive")
REKOGNITION = {"X-Amz-Target": "RekognitionService.DetectLabels"}


@pytest.fixture
def client(telemetry):
    return colour_app(SETTINGS, telemetry=telemetry).test_client()


@pytest.mark.parametrize("key", [KEY, OTHER])
@pytest.mark.parametrize(("header", "value"), [("X-Api-Key", "{}"), ("Authorization", "Bearer {}")])
def test_either_key_in_either_header_lets_a_caller_in(client, key, header, value):
    response = client.post("/v1/classify", data=picture(), headers={header: value.format(key)})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Api-Key": ""},
        {"X-Api-Key": "another"},
        {"X-Api-Key": DIGESTS[0]},
        {"X-Api-Key": "\u00fc"},
        {"Authorization": KEY},
        {"Authorization": "Basic " + KEY},
        {"Authorization": "Bearer " + KEY[:-1]},
    ],
)
def test_nobody_else_comes_in(client, telemetry, headers):
    response = client.post("/v1/classify", data=picture(), headers=headers)
    assert (response.status_code, response.get_json()["code"]) == (401, "key_needed")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert telemetry.lines[0]["code"] == "key_needed"


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/docs",
        "/openapi.json",
        "/health",
        "/ready",
        "/ping",
        "/alive",
        "/v2/health/ready",
        "/_/health",
        "/_/ready",
    ],
)
def test_pages_and_probes_need_none(client, address):
    assert client.get(address).status_code == 200


def test_a_preflight_has_none():
    app = colour_app(Settings(api_keys=DIGESTS, cors_origins=("*",)))
    for address in ("/v1/classify", "/v2/models/colours/infer"):
        assert app.test_client().options(address, headers={"Origin": "https://a.b"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "address", "headers", "status", "field"),
    [
        ("POST", "/v1/models/colours:predict", {}, 401, "error"),
        ("POST", "/v2/models/colours/infer", {}, 401, "error"),
        ("GET", "/v2", {}, 401, "error"),
        ("POST", "/v1/huggingface", {}, 401, "error"),
        ("POST", "/", REKOGNITION, 400, "__type"),
        ("POST", "/v1/rekognition", REKOGNITION, 400, "__type"),
        ("POST", "/invocations", {}, 401, "code"),
        ("POST", "/endpoints/colours/invocations", {}, 424, "OriginalStatusCode"),
        ("GET", "/v1/model", {}, 401, "code"),
        ("GET", "/nowhere", {}, 401, "code"),
    ],
)
def test_a_dialect_refuses_in_its_own_form(client, method, address, headers, status, field):
    response = client.open(address, method=method, headers=headers, data=b"{}" if method == "POST" else None)
    answer = json.loads(response.data)
    assert (response.status_code, field in answer) == (status, True)
    assert answer.get("__type", "AccessDeniedException") == "AccessDeniedException"


def test_the_page_and_the_description_ask_for_it(client):
    document = describe(SETTINGS)
    validate(document)
    assert 'id="key-section" hidden' not in client.get("/").text
    assert "401" in document["paths"]["/v1/classify"]["post"]["responses"]
    assert "security" in document["paths"]["/v1/classify"]["post"]
    assert "security" not in document["paths"]["/ready"]["get"]


def test_samples_send_a_key_where_one_is_asked_for():
    def samples(settings):
        operations = (entry for path in describe(settings)["paths"].values() for entry in path.values())
        return [sample["source"] for entry in operations for sample in entry.get("x-codeSamples", ())]

    assert {"X-Api-Key" in sample for sample in samples(SETTINGS) if "/v1/" in sample.replace("{base}", "/")} == {True}
    assert {"X-Api-Key" in sample for sample in samples(SETTINGS) if "{base}health" in sample} == {False}
    assert not [sample for sample in samples(Settings()) if "X-Api-Key" in sample]


def test_a_key_that_is_taken_for_its_digest_is_not_repeated():
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"API_KEYS": KEY})
    assert "API_KEYS" in str(refused.value)
    assert KEY not in str(refused.value)


def test_who_asks_for_help_gets_no_key():
    answer = subprocess.run(
        [sys.executable, "-m", "ops.keys", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "API_KEYS" in answer
    assert "X-Api-Key" not in answer


def test_a_key_that_is_made_is_known_by_its_digest():
    made = subprocess.run(
        [sys.executable, "-m", "ops.keys"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    key, digest = (line.split()[-1] for line in made.splitlines())
    app = colour_app(Settings.from_environment({"API_KEYS": digest}), telemetry=ListTelemetry())
    assert app.test_client().get("/v1/model", headers={"X-Api-Key": key}).status_code == 200
    assert app.test_client().get("/v1/model", headers={"X-Api-Key": digest}).status_code == 401
