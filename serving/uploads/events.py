"""What Lambda hands to `handler.uploads` → the objects it names, and back: what each sender wants to hear.

It knows the shapes that AWS documents, and neither S3 nor images. Understood: S3 notifications, plain or in SQS messages;
EventBridge events of S3, plain or in SQS messages; tasks of S3 Batch Operations.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from serving.errors import UnknownEvent
from serving.schemas import UploadResult

Event = dict[str, Any]

NO_VERSION = (None, "null")  # "null" is the version of every object that was put while versioning was suspended


@dataclass(frozen=True)
class Upload:
    """An object as an event names it."""

    bucket: str
    key: str
    version_id: str | None  # None in a bucket without versions
    etag: str | None  # None in a task of S3 Batch Operations


@dataclass(frozen=True)
class Message:
    """What is done, or tried again, as one: an SQS message, a task of S3 Batch Operations, or the whole event."""

    id: str
    payload: Any  # not looked into yet: a message that makes no sense fails alone


@dataclass(frozen=True)
class MessageOutcome:
    message: Message
    results: list[UploadResult]  # of its objects; none where it named none of ours
    failure: Exception | None  # it must be tried again


def messages_in(event: Any) -> list[Message]:
    """Raises UnknownEvent where the event is of no shape that is understood."""
    with _explained(event):
        if _is_sqs(event):
            return [Message(record["messageId"], record["body"]) for record in event["Records"]]
        if _is_batch_operations(event):
            return [Message(task["taskId"], task) for task in event["tasks"]]
    uploads_in(event)  # so that an unknown event is refused at once
    return [Message("event", event)]


def uploads_in(payload: Any) -> list[Upload]:
    """The objects that were created. Raises UnknownEvent."""
    with _explained(payload):
        payload = json.loads(payload) if isinstance(payload, str) else payload
        if payload.get("Event") == "s3:TestEvent":  # S3 sends one when a notification is set up
            return []
        if "taskId" in payload:
            return [_from_task(payload)]
        if payload.get("source") == "aws.s3":
            return [_from_eventbridge(payload["detail"])] if payload["detail-type"] == "Object Created" else []
        created = [record for record in payload["Records"] if "ObjectCreated:" in record["eventName"]]
        return [_from_notification(record["s3"]) for record in created]


def reply(event: Event, outcomes: list[MessageOutcome]) -> Event:
    """What the sender wants to hear. Raises what an event failed with whose sender listens to nothing else."""
    if _is_sqs(event):
        failed = [outcome.message.id for outcome in outcomes if outcome.failure]
        return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}
    if _is_batch_operations(event):
        return {
            "invocationSchemaVersion": event["invocationSchemaVersion"],
            "invocationId": event["invocationId"],
            "treatMissingKeysAs": "TemporaryFailure",
            "results": [_task_result(outcome) for outcome in outcomes],
        }
    for outcome in outcomes:
        if outcome.failure:
            raise outcome.failure  # Lambda tries an asynchronous event again, twice
    return {"results": [result.key for outcome in outcomes for result in outcome.results]}


@contextmanager
def _explained(payload: Any) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnknownEvent(
            "handler.uploads understands S3 notifications and EventBridge events of S3, plain or in SQS messages, and tasks "
            f"of S3 Batch Operations, not {payload!r:.200} ({type(error).__name__}: {error})"
        ) from error


def _is_sqs(event: Event) -> bool:
    return any(record.get("eventSource") == "aws:sqs" for record in event.get("Records", []))


def _is_batch_operations(event: Event) -> bool:
    return "invocationSchemaVersion" in event


def _from_notification(entry: Event) -> Upload:
    item = entry["object"]
    return Upload(entry["bucket"]["name"], unquote_plus(item["key"]), _version(item.get("versionId")), item["eTag"])


def _from_eventbridge(detail: Event) -> Upload:
    item = detail["object"]  # its key is not encoded
    return Upload(detail["bucket"]["name"], item["key"], _version(item.get("version-id")), item["etag"])


def _from_task(task: Event) -> Upload:
    bucket = task["s3Bucket"] if "s3Bucket" in task else task["s3BucketArn"].rpartition(":")[2]  # schema 2.0 or 1.0
    return Upload(bucket, unquote_plus(task["s3Key"]), _version(task.get("s3VersionId")), None)


def _version(id: str | None) -> str | None:
    return None if id in NO_VERSION else id


def _task_result(outcome: MessageOutcome) -> Event:
    if outcome.failure:
        code, text = "TemporaryFailure", str(outcome.failure)
    elif not outcome.results:
        code, text = "PermanentFailure", "not classified: the object is gone, or not under the prefix of uploads"
    elif outcome.results[0].error:
        code, text = "PermanentFailure", outcome.results[0].error.code
    else:
        code, text = "Succeeded", outcome.results[0].key
    return {"taskId": outcome.message.id, "resultCode": code, "resultString": text}
