import json
from dataclasses import replace

import pytest

from serving.errors import UnknownEvent
from serving.http.app import create_app
from serving.http.lambda_adapter import answer
from serving.model_loader import ModelLoader
from serving.settings import Settings
from tests.support.events import event_names, load_event
from tests.support.fakes import ListTelemetry, colour_app, colour_classifier

HTTP = ("alb", "apigateway", "function-url")


@pytest.fixture(scope="module")
def app():
    return colour_app()


@pytest.mark.parametrize("name", [name for name in event_names(*HTTP) if name.endswith(("image", "json", "form"))])
def test_an_image_in_an_event_is_named(app, name):
    response = answer(app, load_event(name), None)
    assert response["statusCode"] == 200
    assert response["isBase64Encoded"] is False
    assert json.loads(response["body"])["image"] == {"width": 64, "height": 48, "format": "JPEG"}


def test_query_parameters_of_every_sender_arrive(app):
    expected = {"apigateway-v1-image": 2, "apigateway-v2-image": 2, "alb-image": 2, "function-url-image": 3}
    counts = {name: len(json.loads(answer(app, load_event(name), None)["body"])["labels"]) for name in expected}
    assert counts == expected


def test_base64_of_every_form_arrives(app):
    results = json.loads(answer(app, load_event("apigateway-v2-batch"), None)["body"])["results"]
    assert [sorted(result) for result in results] == [["image", "labels"]] * 3


@pytest.mark.parametrize("name", ["apigateway-v1-health", "apigateway-v2-stage", "alb-health"])
def test_the_path_is_found_with_and_without_a_stage(app, name):
    assert json.loads(answer(app, load_event(name), None)["body"]) == {"status": "ok"}


def test_a_stage_is_only_what_is_a_whole_part_of_the_path(app):
    event = load_event("apigateway-v2-stage") | {"rawPath": "/develop/health"}
    assert answer(app, event, None)["statusCode"] == 404


def test_the_page_comes_as_text(app):
    response = answer(app, load_event("function-url-page"), None)
    assert response["isBase64Encoded"] is False
    assert response["body"].startswith("<!doctype html>")


def test_a_load_balancer_gets_what_it_asks_for(app):
    single, multiple = (answer(app, load_event(name), None) for name in ("alb-json", "alb-multivalue-json"))
    assert single["statusDescription"] == "200 OK"
    assert single["headers"]["Content-Type"] == "application/json"
    assert multiple["multiValueHeaders"]["Content-Type"] == ["application/json"]


def test_a_problem_comes_as_text_too(app):
    response = answer(app, load_event("apigateway-v2-image") | {"body": "aGVsbG8="}, None)
    assert response["isBase64Encoded"] is False
    assert json.loads(response["body"])["code"] == "unsupported_image"


@pytest.mark.parametrize(
    "field", ["headers", "body", "cookies", "queryStringParameters", "multiValueHeaders", "rawQueryString"]
)
@pytest.mark.parametrize("name", event_names(*HTTP))
def test_a_field_that_is_null_or_missing_breaks_nothing(app, name, field):
    event = load_event(name)
    for version in (event | {field: None}, {key: value for key, value in event.items() if key != field}):
        assert answer(app, version, None)["statusCode"] < 500


@pytest.mark.parametrize("name", ["apigateway-v1-image", "apigateway-v2-image", "alb-image"])
def test_a_hand_made_body_that_is_not_base64_is_a_problem(app, name):
    response = answer(app, load_event(name) | {"body": "%%%"}, None)
    assert response["statusCode"] == 400
    assert json.loads(response["body"])["code"] == "malformed_base64"


def test_a_hand_made_body_may_be_unpadded(app):
    event = load_event("apigateway-v2-image")
    event["body"] = event["body"].rstrip("=").replace("+", "-").replace("/", "_")
    assert answer(app, event, None)["statusCode"] == 200


@pytest.mark.parametrize(
    "event",
    [
        {},
        None,
        [],
        "photo.jpg",
        {"version": "2.0"},
        {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
        {"Records": []},
        {"Records": [{"eventSource": "aws:s3", "s3": {}}]},
        {"Records": [{"EventSource": "aws:sns"}]},
        {"httpMethod": "GET", "path": "/health"},
        {"requestContext": None, "httpMethod": "GET", "path": "/health"},
        {"requestContext": {"http": {}}, "version": "2.0"},
    ],
)
def test_an_event_of_another_shape_is_refused_by_what_is_understood(app, event):
    with pytest.raises(UnknownEvent, match=r"API Gateway REST .* Function URL.* Load Balancer"):
        answer(app, event, None)


def test_the_request_id_is_lambdas(app):
    class Context:
        aws_request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"

    body = json.loads(answer(app, load_event("apigateway-v2-image"), Context())["body"])
    assert body["request_id"] == Context.aws_request_id


@pytest.mark.parametrize("name", ["Transfer-Encoding", "transfer-encoding", "Transfer_Encoding"])
@pytest.mark.parametrize("event", ["apigateway-v1-image", "apigateway-v2-image", "alb-image", "alb-multivalue-json"])
def test_headers_of_the_connection_to_the_gateway_say_nothing_of_the_body(app, event, name):
    event = load_event(event)
    if "multiValueHeaders" in event:
        event["multiValueHeaders"] |= {name: ["chunked"]}
    if "headers" in event:
        event["headers"] |= {name: "chunked", "Connection": "keep-alive, Upgrade", "Upgrade": "h2c"}
    assert answer(app, event, None)["statusCode"] == 200


@pytest.mark.parametrize("name", ["apigateway-v1-image", "alb-image"])
def test_a_parameter_that_is_null_is_none(app, name):
    event = load_event(name) | {"queryStringParameters": {"top_k": None}, "multiValueQueryStringParameters": None}
    assert answer(app, event, None)["statusCode"] == 200


@pytest.mark.parametrize("name", ["apigateway-v1-image", "apigateway-v2-image"])
def test_a_question_mark_in_a_path_begins_no_query(app, name):
    event = load_event(name)
    event |= {"path": "/v1/classify?/x", "rawPath": "/v1/classify?/x", "resource": "/{proxy+}"}
    assert answer(app, event, None)["statusCode"] == 404


@pytest.mark.parametrize(("name", "field"), [("apigateway-v1-image", "methodArn"), ("apigateway-v2-image", "routeArn")])
def test_an_authorizers_request_is_no_http_request(app, name, field):
    with pytest.raises(UnknownEvent, match="authorizer"):
        answer(app, load_event(name) | {"type": "REQUEST", field: "arn:aws:execute-api:::a"}, None)


@pytest.mark.parametrize("card", ["x" * 6_000_000, '"' * 1_600_000, "玫" * 2_200_000, "🌹" * 600_000])
def test_an_answer_that_lambda_would_not_send_says_what_to_ask_for(card):
    known = colour_classifier()
    app = create_app(Settings(), ModelLoader(lambda: replace(known, card=card)), ListTelemetry())
    event = load_event("apigateway-v2-image") | {"rawPath": "/v1/model", "body": None}
    event["requestContext"]["http"]["method"] = "GET"
    response = answer(app, event, None)
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (413, "body_too_large")
