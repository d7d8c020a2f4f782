"""What wraps an event on its way here, opened in one step: SQS's bodies, SNS's messages, Pipes' arrays, destinations' records.

It knows who sends what, and nothing of uploads. What is refused is refused by name: of what it holds, field names alone are
repeated, since an event may carry a caller's credentials.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from serving.errors import UnknownEvent

Event = dict[str, Any]

DEEPEST = 8  # envelopes around an event: S3 → SNS → SQS → a destination → SQS are four
SPEAKABLE = re.compile(r"[\w.:-]{1,40}", re.ASCII)  # a field name that is put into a sentence …
MOST_NAMED = 12  # … with so many others
SENDERS = {  # eventSource, as docs.aws.amazon.com/lambda/latest/dg/lambda-services.html's pages show it
    "SelfManagedKafka": "Kafka",
    "aws:amq": "Amazon MQ",
    "aws:codecommit": "CodeCommit",
    "aws:docdb": "DocumentDB",
    "aws:dynamodb": "DynamoDB Streams",
    "aws:kafka": "Kafka",
    "aws:kinesis": "Kinesis",
    "aws:mq": "Amazon MQ",
    "aws:rmq": "Amazon MQ",
    "aws:ses": "SES",
}
MARKS = {  # a field that only one sender's events have → that sender
    "methodArn": "an authorizer's request",
    "routeArn": "an authorizer's request",
    "authorizationToken": "an authorizer's request",
    "triggerSource": "Cognito's",
    "datasetRecords": "Cognito's",
    "AlarmName": "a CloudWatch alarm's",
    "alarmArn": "a CloudWatch alarm's",
    "ResponseURL": "a CloudFormation custom resource's",
    "SecretId": "Secrets Manager's",
    "cf": "CloudFront's",
    "directive": "Alexa's",
    "getObjectContext": "S3 Object Lambda's",
    "inputTranscript": "Lex's",
    "s3ObjectKey": "CloudTrail's",
    "session": "Alexa's",
    "httpMethod": "an HTTP request, which handler.http answers",
    "routeKey": "an HTTP request, which handler.http answers",
    "rawPath": "an HTTP request, which handler.http answers",
    "awslogs": "CloudWatch Logs'",
    "CodePipeline.job": "CodePipeline's",
    "deliveryStreamArn": "Firehose's",
    "invokingEvent": "Config's",
    "SubscribeURL": "SNS's request to confirm a subscription",
    "detail-type": "an EventBridge event of another source",
}
UNDERSTOOD = (
    "handler.uploads understands S3 notifications and EventBridge events of S3, plain or in messages of SQS, SNS, Pipes and "
    "Lambda destinations, and tasks of S3 Batch Operations; POST /v1/events understands these as CloudEvents, and those of Azure Blob "
    "Storage and Google Cloud Storage"
)


def unwrap(payload: Any, depth: int = 0) -> Iterator[Event | UnknownEvent]:
    """Yield each event that is in no further envelope, and of several what is refused: the others are none the worse for it.

    Raises UnknownEvent where it stands alone.
    """
    if depth > DEEPEST:
        raise UnknownEvent(f"{UNDERSTOOD}, not what is wrapped more than {DEEPEST} times")
    match payload:
        case str():
            yield from unwrap(_parsed(payload), depth + 1)
        case [_, *_] | {"Records": [_, *_]}:
            for record in payload if isinstance(payload, list) else payload["Records"]:
                try:
                    yield from unwrap(record, depth + 1)
                except UnknownEvent as error:
                    yield error
        case (
            {"eventSource": "aws:sqs", "body": inner}
            | {"Type": "Notification", "Message": inner}  # SNS in SQS, where its delivery is not raw
            | {"Sns": {"Message": inner}}
            | {"requestPayload": inner}  # what another invocation was given: Lambda's destinations
            | {"source": "lambda", "detail": {"requestPayload": inner}}  # the same by way of EventBridge
        ):
            yield from unwrap(inner, depth + 1)
        case dict():
            yield payload
        case _:
            raise refusal(payload)


def refusal(event: Any, name: str | None = None) -> UnknownEvent:
    """That an event is not understood, with the name of what it is, as far as that is known."""
    return UnknownEvent(f"{UNDERSTOOD}, not {name or _sender(event)} ({_fields(event)})")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise refusal(text, "text that is no JSON") from None  # the cause would repeat it


def _sender(event: Any) -> str:
    if not isinstance(event, dict):
        return "this"
    source = event.get("eventSource")
    if isinstance(source, str) and source in SENDERS:
        return f"{SENDERS[source]}'s"
    return next((sender for mark, sender in MARKS.items() if mark in event), "this")


def _fields(event: Any) -> str:
    if not isinstance(event, dict):
        return f"of type {type(event).__name__}"
    names = [name for name in event if isinstance(name, str) and SPEAKABLE.fullmatch(name)]
    return f"with the fields {', '.join(sorted(names)[:MOST_NAMED])}" if names else "with no field that can be named"
