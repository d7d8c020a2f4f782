"""What wraps S3's events is opened, however often; what is not S3's is refused by name, and nothing of it is repeated."""

import json
from urllib.parse import unquote_plus

import pytest

from serving.errors import UnknownEvent
from serving.model_loader import ModelLoader
from serving.settings import Settings
from serving.uploads.envelopes import DEEPEST
from serving.uploads.events import contents_of, messages_in
from serving.uploads.processor import UploadProcessor
from tests.support.chain import Context
from tests.support.events import load_event
from tests.support.fakes import ListTelemetry, colour_classifier, picture
from tests.support.memory_s3 import MemoryS3, etag

SECRET = "SECRET-EXAMPLE"


def in_sqs(payload, receives="1"):
    return {
        "messageId": "m",
        "body": payload if isinstance(payload, str) else json.dumps(payload),
        "attributes": {"ApproximateReceiveCount": receives},
        "eventSource": "aws:sqs",
    }


def in_sns(payload):
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": json.dumps(payload)}


def of_destination(payload):
    return {
        "version": "1.0",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": payload,
        "responsePayload": {"errorMessage": SECRET},
    }


def of_event_bus(payload):
    """A destination that is an event bus, as EventBridge hands its event on."""
    name = "Lambda Function Invocation Result - Failure"
    return {"version": "0", "source": "lambda", "detail-type": name, "detail": of_destination(payload)}


WRAPPINGS = {
    "SQS": lambda event: {"Records": [in_sqs(event)]},
    "Pipes": lambda event: [in_sqs(event)],
    "Pipes, its body parsed": lambda event: [in_sqs("") | {"body": event}],
    "SNS": lambda event: {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(event)}}]},
    "SNS in SQS": lambda event: {"Records": [in_sqs(in_sns(event))]},
    "a destination": of_destination,
    "a destination, in SQS": lambda event: {"Records": [in_sqs(of_destination(event))]},
    "an event bus as a destination": of_event_bus,
    "an event bus as a destination, in SQS": lambda event: {"Records": [in_sqs(of_event_bus(event))]},
    "SQS's event at a destination, in SQS": lambda event: {
        "Records": [in_sqs(of_destination({"Records": [in_sqs(in_sns(event))]}))]
    },
}


def keys_of(event):
    return [upload.key for message in messages_in(event) for upload in contents_of(message.payload).uploads]


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("name", ["s3-put", "eventbridge-object-created"])
def test_whatever_wraps_it_an_event_names_its_object(name, wrapping):
    assert keys_of(WRAPPINGS[wrapping](load_event(name))) == ["uploads/red flower + café 100%.jpg"]


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_whatever_wraps_it_the_test_event_is_nothing_to_do(wrapping):
    assert keys_of(WRAPPINGS[wrapping](load_event("s3-test-event"))) == []


@pytest.mark.parametrize("payload", [{"Records": [{"eventSource": "aws:s3"}]}, {"a": 1}, SECRET, None])
def test_what_an_event_bus_brings_of_something_else_is_refused(payload):
    with pytest.raises(UnknownEvent) as refused:
        keys_of(of_event_bus(payload))
    assert SECRET not in str(refused.value)


def test_what_is_wrapped_too_often_is_refused():
    event = load_event("s3-put")
    for _ in range(DEEPEST):
        event = in_sns(event)
    with pytest.raises(UnknownEvent, match="wrapped more than"):
        messages_in(event)


def restored():
    event = load_event("s3-put")
    event["Records"][0]["eventName"] = "ObjectRestore:Completed"
    return event


@pytest.mark.parametrize(
    "event", [restored(), load_event("eventbridge-object-created") | {"detail-type": "Object Restore Completed"}]
)
def test_an_object_that_was_restored_from_an_archive_is_work(event):
    assert len(keys_of(event)) == 1


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("s3-delete", "ObjectRemoved:DeleteMarkerCreated"),
        ("eventbridge-object-deleted", "Object Deleted"),
        ("eventbridge-object-tags", "Object Tags Added"),
    ],
)
def test_other_events_of_s3_are_nothing_to_do_and_are_logged(event, name):
    if event == "eventbridge-object-tags":
        payload = load_event("eventbridge-object-deleted") | {"detail-type": name}
    else:
        payload = load_event(event)
    telemetry = ListTelemetry()
    answer = processor(telemetry).handle({"Records": [in_sqs(payload)]}, Context())
    assert answer == {"batchItemFailures": []}
    assert [(entry["outcome"], entry["event"], entry["message_id"]) for entry in telemetry.uploads] == [
        ("ignored", name, "m")
    ]


def processor(telemetry=None):
    return UploadProcessor(Settings(), ModelLoader(colour_classifier), telemetry or ListTelemetry(), MemoryS3({}))


def of(source, **fields):
    return {"Records": [{"eventSource": source, "eventName": SECRET} | fields]}


STRANGERS = {
    "Kinesis": of("aws:kinesis", kinesis={"data": SECRET}),
    "DynamoDB": of("aws:dynamodb", eventName="INSERT", dynamodb={"NewImage": {"key": {"S": SECRET}}}),
    "CodeCommit": of("aws:codecommit", eventName="ReferenceChanges", codecommit={}),
    "SES": of("aws:ses", ses={"mail": SECRET}),
    "Kafka": {"eventSource": "aws:kafka", "records": {"t-0": [{"value": SECRET}]}},
    "CloudTrail": {"source": "aws.s3", "detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": SECRET}},
    "EventBridge event of another source": {
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "detail": {"x": SECRET},
    },
    "authorizer": {"type": "TOKEN", "authorizationToken": SECRET, "methodArn": "arn:aws:execute-api:::a"},
    "CloudFront": {"Records": [{"cf": {"request": {"headers": SECRET}}}]},
    "Alexa": {"session": {"user": {"accessToken": SECRET}}, "request": {}},
    "CloudFormation": {"RequestType": "Create", "ResponseURL": SECRET},
    "S3 Object Lambda": {"getObjectContext": {"outputToken": SECRET}},
    "CloudWatch alarm": {"AlarmName": SECRET},
    "HTTP request": {"httpMethod": "POST", "headers": {"authorization": SECRET}, "body": SECRET},
    "CloudWatch Logs": {"awslogs": {"data": SECRET}},
    "Cognito": {"triggerSource": "PreSignUp_SignUp", "request": {"userAttributes": {"email": SECRET}}},
    "confirm a subscription": {"Type": "SubscriptionConfirmation", "Token": SECRET, "SubscribeURL": SECRET},
    "no JSON": SECRET,
    "other types": {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": SECRET}]},
    "with the fields": {SECRET + " as a field's name": 1, "fine": SECRET},
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_is_refused_by_name_and_nothing_that_it_holds_is_repeated(name):
    with pytest.raises(UnknownEvent, match=name) as refused:
        messages_in(STRANGERS[name])
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_in_a_queue_fails_alone_and_nothing_that_it_holds_is_logged(name):
    telemetry = ListTelemetry()
    event = {"Records": [in_sqs(STRANGERS[name]), in_sqs(load_event("s3-test-event")) | {"messageId": "fine"}]}
    assert processor(telemetry).handle(event, Context()) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    ((entry, error),) = telemetry.failures
    assert entry["code"] == "unknown_event"
    assert SECRET not in f"{entry} {error}"


@pytest.mark.parametrize("bad", [None, SECRET, [], {}, STRANGERS["Kinesis"], {"Records": [None]}, [[["x"]]]])
@pytest.mark.parametrize("first", [True, False])
def test_what_is_not_understood_harms_nothing_that_was_told_beside_it(bad, first):
    good = load_event("s3-put-unversioned")["Records"][0]
    key = unquote_plus(good["s3"]["object"]["key"])
    data = picture()
    good["s3"]["object"]["eTag"] = etag(data).strip('"')
    telemetry, s3 = ListTelemetry(), MemoryS3({key: data})
    settler = UploadProcessor(Settings(), ModelLoader(colour_classifier), telemetry, s3)
    records = {"Records": [bad, good] if first else [good, bad]}
    assert settler.handle({"Records": [in_sqs(records)]}, Context()) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    with pytest.raises(UnknownEvent):
        settler.handle(records, Context())
    assert [entry["outcome"] for entry in telemetry.uploads] == ["classified", "repeated"]
    assert SECRET not in str(telemetry.failures)


def test_pipes_and_queues_hear_which_messages_failed():
    event = [in_sqs("{"), in_sqs(load_event("s3-test-event")) | {"messageId": "fine"}]
    assert processor().handle(event, Context()) == {"batchItemFailures": [{"itemIdentifier": "m"}]}


@pytest.mark.parametrize(
    ("attributes", "receives"),
    [
        ({"ApproximateReceiveCount": "3"}, 3),
        ({"ApproximateReceiveCount": 3}, 3),
        ({"ApproximateReceiveCount": True}, 1),
        ({"ApproximateReceiveCount": "x"}, 1),
        ({"ApproximateReceiveCount": None}, 1),
        ({}, 1),
        (None, 1),
        ([], 1),
    ],
)
def test_how_often_a_message_was_received_is_what_sqs_says_or_once(attributes, receives):
    (message,) = messages_in({"Records": [in_sqs("{}") | {"attributes": attributes}]})
    assert message.receives == receives


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "uploads/" + "é" * 509),
        ("key", ""),
        ("key", "uploads/\ud800"),
        ("key", None),
        ("eTag", None),
        ("eTag", 7),
        ("eTag", "a\r\nb"),
        ("size", "7"),
        ("versionId", {}),
        ("versionId", "\ud800"),
    ],
)
def test_an_object_that_s3_cannot_have_is_refused(field, value):
    event = load_event("s3-put-unversioned")
    event["Records"][0]["s3"]["object"][field] = value
    with pytest.raises(UnknownEvent):
        messages_in(event)
