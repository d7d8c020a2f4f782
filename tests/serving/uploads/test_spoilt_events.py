"""Whatever is wrong with an event, it is answered or refused, and nothing else is raised."""

import copy
import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import RecognitionError
from serving.model_loader import ModelLoader
from serving.settings import Settings
from serving.uploads.events import contents_of, messages_in, reply
from serving.uploads.processor import UploadProcessor
from tests.support.chain import Context
from tests.support.events import event_names, load_event
from tests.support.fakes import ListTelemetry, colour_classifier
from tests.support.memory_s3 import MemoryS3

OURS = event_names("azure", "eventbridge", "google", "s3", "sqs")


def paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from paths(value[name], (*path, name))
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from paths(entry, (*path, number))


def changed(event, path, value):
    if not path:
        return value
    event = copy.deepcopy(event)
    place = event
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return event


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\x00", "%", "é\ud800", "[" * 100_000, '{"Records":' * 50_000, "null", "s3:TestEvent"])
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@st.composite
def spoilt_events(draw):
    event = load_event(draw(st.sampled_from(OURS)))
    if draw(st.booleans()) and "Records" in event and "body" in event["Records"][0]:
        body = json.loads(event["Records"][0]["body"])
        spoilt = changed(body, draw(st.sampled_from(list(paths(body)))), draw(values))
        return changed(event, ("Records", 0, "body"), json.dumps(spoilt))
    return changed(event, draw(st.sampled_from(list(paths(event)))), draw(values))


@settings(max_examples=200)
@given(spoilt_events())
def test_whatever_is_wrong_with_an_event_the_answer_is_one_of_ours(event):
    answer_or_refuse(event)


@settings(max_examples=100)
@given(values)
def test_whatever_comes_the_answer_is_one_of_ours(event):
    answer_or_refuse(event)


def answer_or_refuse(event):
    try:
        messages = messages_in(event)
    except RecognitionError as error:
        assert len(str(error)) < 1500
        return
    for message in messages:
        try:
            contents_of(message.payload)
        except RecognitionError as error:
            str(error).encode()
    json.dumps(reply(event, []))


@pytest.mark.parametrize("name", OURS)
def test_whatever_is_missing_from_an_event_the_answer_is_one_of_ours(name):
    processor = UploadProcessor(Settings(), ModelLoader(colour_classifier), ListTelemetry(), MemoryS3({}))
    event = load_event(name)
    for path in list(paths(event))[1:]:
        without = changed(event, path, None)
        if isinstance(path[-1], str):
            place = without
            for step in path[:-1]:
                place = place[step]
            del place[path[-1]]
        for spoilt in (without, changed(event, path, None)):
            with suppress(RecognitionError):
                json.dumps(processor.handle(spoilt, Context()))
