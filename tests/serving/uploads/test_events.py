import json

import pytest

from serving.errors import UnknownEvent
from serving.schemas import Problem, Timing, UploadedObject, UploadResult
from serving.uploads.events import Message, MessageOutcome, Upload, contents_of, messages_in, reply
from tests.support.events import event_names, load_event

BUCKET = "amzn-s3-demo-bucket"
KEY = "uploads/red flower + café 100%.jpg"


def uploads_of(event):
    return [upload for message in messages_in(event) for upload in contents_of(message.payload).uploads]


def outcome(id="dGFza2lkZ29lc2hlcmUK", error=None, failure=None, none=False):
    result = UploadResult(UploadedObject(BUCKET, KEY), "results/x@1.json", "2026-01-01", Timing(0, 0, 0), error=error)
    return MessageOutcome(Message(id, None), [] if none else [result], failure)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("s3-put", Upload(BUCKET, KEY, "096fKKXTRTtl3on89fVO.nfljtsv6qko", "d41d8cd98f00b204e9800998ecf8427e")),
        ("s3-put-unversioned", Upload(BUCKET, "uploads/scan.tiff", None, "9bb58f26192e4ba00f01e2e7b136bbd8-2")),
        ("sqs-s3", Upload(BUCKET, KEY, "096fKKXTRTtl3on89fVO.nfljtsv6qko", "d41d8cd98f00b204e9800998ecf8427e")),
        (
            "eventbridge-object-created",
            Upload(BUCKET, KEY, "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "b1946ac92492d2347c6235b4d2611184"),
        ),
        (
            "sqs-eventbridge",
            Upload(BUCKET, KEY, "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "b1946ac92492d2347c6235b4d2611184"),
        ),
        ("s3-batch-v1", Upload(BUCKET, KEY, "1", None)),
        ("s3-batch-v2", Upload(BUCKET, "uploads/red flower.jpg", None, None)),
    ],
)
def test_an_event_names_its_object_however_its_sender_encodes_the_key(name, expected):
    assert uploads_of(load_event(name)) == [expected]


@pytest.mark.parametrize("name", ["s3-test-event", "s3-delete", "eventbridge-object-deleted"])
def test_what_created_nothing_names_no_object(name):
    assert uploads_of(load_event(name)) == []


def test_an_object_put_while_versioning_was_suspended_is_told_by_its_etag():
    event = load_event("s3-put")
    event["Records"][0]["s3"]["object"]["versionId"] = "null"
    assert uploads_of(event)[0].version_id is None


@pytest.mark.parametrize("name", ["s3-put-unversioned", "eventbridge-object-created"])
def test_an_etag_in_quotation_marks_is_the_same(name):
    plain, quoted = load_event(name), load_event(name)
    item = quoted["Records"][0]["s3"]["object"] if "Records" in quoted else quoted["detail"]["object"]
    field = "eTag" if "eTag" in item else "etag"
    item[field] = f'"{item[field]}"'
    assert uploads_of(quoted) == uploads_of(plain)
    item |= {field: '""', "versionId": None, "version-id": None}
    with pytest.raises(UnknownEvent):
        uploads_of(quoted)


def test_each_message_is_a_delivery_of_its_own():
    event = load_event("sqs-s3")
    assert [message.id for message in messages_in(event)] == [record["messageId"] for record in event["Records"]]


@pytest.mark.parametrize(
    "event", [None, [], "x", {}, {"Records": ["x"]}, {"Records": [{"eventSource": "aws:sns"}]}, {"source": "aws.ec2"}]
)
def test_an_event_of_another_shape_is_refused_with_what_is_understood(event):
    with pytest.raises(UnknownEvent, match=r"handler\.uploads understands"):
        messages_in(event)


@pytest.mark.parametrize("name", event_names("apigateway", "alb", "function-url"))
def test_an_http_event_is_refused(name):
    with pytest.raises(UnknownEvent):
        messages_in(load_event(name))


@pytest.mark.parametrize(
    "body",
    ["", "not json", "7", "null", "[]", '{"Records": [{}]}', '{"Records": [{"eventName": "ObjectCreated:Put"}]}'],
)
def test_a_message_that_makes_no_sense_is_found_out_only_when_it_is_opened(body):
    event = load_event("sqs-s3")
    event["Records"][0]["body"] = body
    broken, *_ = messages_in(event)
    with pytest.raises(UnknownEvent):
        contents_of(broken.payload)


def test_sqs_hears_which_messages_to_deliver_again():
    outcomes = [outcome("a"), outcome("b", failure=OSError()), outcome("c", none=True)]
    assert reply(load_event("sqs-s3"), outcomes) == {"batchItemFailures": [{"itemIdentifier": "b"}]}


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (outcome(), "Succeeded"),
        (outcome(error=Problem("", 422, "corrupt_image", "")), "PermanentFailure"),
        (outcome(none=True), "PermanentFailure"),
        (outcome(failure=OSError("away")), "TemporaryFailure"),
    ],
)
def test_batch_operations_hears_what_became_of_its_task(outcome, code):
    event = load_event("s3-batch-v1")
    answer = json.loads(json.dumps(reply(event, [outcome])))
    assert {answer[name] == event[name] for name in ("invocationSchemaVersion", "invocationId")} == {True}
    assert answer["results"] == [
        {
            "taskId": event["tasks"][0]["taskId"],
            "resultCode": code,
            "resultString": answer["results"][0]["resultString"],
        }
    ]


def test_a_sender_that_takes_no_answer_gets_the_error_itself():
    with pytest.raises(OSError, match="away"):
        reply(load_event("s3-put"), [outcome(failure=OSError("away"))])
    assert reply(load_event("s3-put"), [outcome()]) == {"results": ["results/x@1.json"]}
