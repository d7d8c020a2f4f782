"""Whatever a Lambda event holds, it is answered or refused by name: no foreign exception, and nothing of it in a message."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import RecognitionError
from serving.errors import UnknownEvent
from serving.http.lambda_adapter import answer
from tests.support.events import event_names, load_event
from tests.support.fakes import colour_app

APP = colour_app()
HTTP = event_names("alb", "apigateway", "function-url")
DROP = object()
VALUES = [None, -1, True, "", [], {}, {"a": 1}, "é\ud800", "a\r\nb: \x00%", 10**30, ["a", "b"], {"a": [None]}, DROP]
SECRET = "SECRET-EXAMPLE"


def places(value, place=()):
    yield place
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from places(inner, (*place, key))


def changed(event, place, value):
    if not place:
        return None if value is DROP else value
    event = copy.deepcopy(event)
    parent = event
    for key in place[:-1]:
        parent = parent[key]
    if value is DROP:
        del parent[place[-1]]
    else:
        parent[place[-1]] = value
    return event


def ask(event):
    try:
        response = answer(APP, event, None)
    except RecognitionError as error:
        assert type(error) is UnknownEvent
        str(error).encode()
        return str(error)
    json.dumps(response)
    assert response["statusCode"] < 500
    return response


@pytest.mark.parametrize("name", HTTP)
def test_a_wrong_value_anywhere_is_answered_or_refused(name):
    event = load_event(name)
    for place in places(event):
        for value in VALUES:
            ask(changed(event, place, value))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(alphabet=st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def events(draw):
    """A real event with a few values replaced by whatever JSON can hold."""
    event = load_event(draw(st.sampled_from(HTTP)))
    for _ in range(draw(st.integers(1, 4))):
        event = changed(event, draw(st.sampled_from(list(places(event)))), draw(JSON | st.sampled_from(VALUES)))
    return event


@settings(max_examples=200)
@given(events())
def test_several_wrong_values_together_are_answered_or_refused(event):
    ask(event)


@given(JSON)
def test_any_json_is_answered_or_refused(event):
    ask(event)


def nest(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("field", ["requestContext", "headers", "pathParameters", "Records", "other"])
def test_deep_nesting_is_refused_or_passed_by(field):
    ask(load_event("apigateway-v2-image") | {field: nest(900)})


@pytest.mark.parametrize(
    "event",
    [
        {"Records": [SECRET]},
        {"Records": {SECRET: 1}},
        {"Records": [{"eventSource": SECRET, "body": SECRET}]},
        {"source": SECRET, "detail": SECRET},
        {"source": {"a": SECRET}},
        load_event("apigateway-v2-image") | {"headers": {"authorization": [SECRET]}},
        load_event("apigateway-v2-image") | {"body": {SECRET: SECRET}},
        load_event("apigateway-v1-image") | {"multiValueHeaders": {SECRET: SECRET}},
        load_event("apigateway-v1-image") | {"queryStringParameters": SECRET},
        load_event("apigateway-v1-image") | {"path": None, "body": SECRET},
    ],
)
def test_a_refusal_names_fields_and_holds_nothing_of_the_event(event):
    message = ask(event)
    assert isinstance(message, str)
    assert "an event with the fields " in message
    assert SECRET not in message


def test_a_refusal_says_where_the_event_is_wrong():
    assert "`$.headers[...]`" in ask(load_event("apigateway-v2-image") | {"headers": {"a": 1}})


def test_a_line_break_in_a_header_adds_none():
    event = load_event("apigateway-v2-image")
    event["headers"]["x-request-id"] = "a\r\nset-cookie: b"
    assert ask(event)["statusCode"] == 200
