import re

import msgspec
import pytest
from openapi_spec_validator import validate

from serving import schemas
from serving.http.dialects import ROUTES
from serving.http.openapi import describe
from serving.problems import TABLE
from serving.settings import Settings
from tests.support.fakes import base64_of, colour_app, picture

DESCRIBED = ("tfserving:", "cloud_events:")  # of the dialects; their makers describe the others


@pytest.fixture(scope="module")
def document():
    return describe(Settings())


def test_the_description_is_valid(document):
    validate(document)
    validate(describe(Settings(api_key_needed=True)))


def test_the_description_holds_the_routes_of_the_app_and_no_others(document):
    described = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in colour_app().url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    rows = [route for route in ROUTES if route.view.startswith(DESCRIBED) and route.method != "OPTIONS"]
    assert described == routes | {(route.method, route.path) for route in rows}


def test_every_code_of_the_table_that_a_client_can_meet_is_described(document):
    unmet = {"unknown_event", "misconfigured", "key_needed"}  # of no HTTP request; where no key is asked for
    described = {
        code
        for operations in document["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for code in response["description"].partition(": ")[2].split(", ")
    }
    assert {code for _, code in TABLE.values()} - unmet <= described


def test_what_costs_money_asks_for_the_key_where_one_is_needed():
    operations = {
        path: op for path, ops in describe(Settings(api_key_needed=True))["paths"].items() for op in ops.values()
    }
    assert {path for path, operation in operations.items() if "security" in operation} == {
        path for path in operations if path.startswith("/v1/") or path == "/ready"
    }
    assert "security" not in str(describe(Settings()))


@pytest.mark.parametrize(
    ("method", "address", "body", "type"),
    [
        ("POST", "/v1/classify", {"image": {"bytes": base64_of(picture())}}, schemas.ClassifyResponse),
        ("POST", "/v1/classify", {"images": [{"bytes": base64_of(picture())}, {"bytes": "%"}]}, schemas.BatchResponse),
        ("POST", "/v1/classify", {}, schemas.Problem),
        ("GET", "/v1/model", None, schemas.ModelCard),
        ("GET", "/health", None, schemas.Health),
        ("GET", "/ready", None, schemas.Readiness),
        ("GET", "/v1/models/colours", None, schemas.ModelStatus),
        ("GET", "/v1/models/colours/metadata", None, schemas.ModelMetadata),
        ("GET", "/v1/models/roses", None, schemas.PredictError),
    ],
)
def test_an_answer_is_of_the_type_that_is_described(client, method, address, body, type):
    response = client.open(address, method=method, json=body)
    msgspec.json.decode(response.data, type=type, strict=True)
    schema = describe(Settings())["components"]["schemas"][type.__name__]
    assert set(response.get_json()) <= set(schema["properties"])
    assert set(schema["required"]) <= set(response.get_json())


def test_the_pages_are_made_of_the_description(client, document):
    page = client.get("/docs").text
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"].replace("'", "&#39;") in page
    assert client.get("/openapi.json").get_json() == document
