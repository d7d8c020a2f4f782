"""What Lambda hands to `handler.uploads`, or CloudEvents bring → the objects it names, and back: what each sender wants to hear.

It knows the shapes that AWS documents, and neither S3 nor images; envelopes.py opens what wraps them, clouds.py knows Azure's and
Google's. Events of objects that were created, or restored from an archive, are work; a store's other events are nothing to do;
what is no store's is refused.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import unquote_plus

import msgspec
from msgspec import Meta, Struct

from serving.errors import UnknownEvent
from serving.schemas import UploadResult
from serving.uploads.clouds import is_cloud_type, read_cloud_event
from serving.uploads.envelopes import Event, refusal, unwrap
from serving.uploads.objects import Key, Tag, Text, Upload, Version, key_of, shaped, speakable, upload_of, version_of


@dataclass(frozen=True)
class Message:
    """What is done, or tried again, as one: an SQS message, a task of S3 Batch Operations, or the whole event."""

    id: str
    payload: Any  # not looked into yet: a message that makes no sense fails alone
    receives: int = 1  # this one included; not 1: it came before, and was not done


@dataclass
class Contents:
    """What a message is about."""

    uploads: list[Upload] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # names of events that are nothing to do
    refused: UnknownEvent | None = None  # the first of what was told beside them

    def raise_refused(self) -> None:
        if self.refused:
            raise self.refused


@dataclass(frozen=True)
class MessageOutcome:
    message: Message
    results: list[UploadResult]  # of its objects; none where it named none of ours
    failure: Exception | None  # it must be tried again


class _Bucket(Struct):
    name: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9._-]{1,255}\Z")]  # botocore sends no other


class _Object(Struct):
    key: Key  # URL-encoded
    etag: Tag | None = msgspec.field(default=None, name="eTag")
    version: Version | None = msgspec.field(default=None, name="versionId")
    size: int | None = None


class _Entry(Struct):
    bucket: _Bucket
    object: _Object


class _Notification(Struct):
    event: Text = msgspec.field(name="eventName")
    s3: _Entry | None = None


class _PlainObject(Struct):
    key: Key  # not encoded
    etag: Tag | None = None
    version: Version | None = msgspec.field(default=None, name="version-id")
    size: int | None = None


class _Detail(Struct):
    bucket: _Bucket
    object: _PlainObject


class _Task(Struct, rename="camel"):
    task_id: Text
    s3_key: Key  # URL-encoded
    s3_version_id: Version | None = None
    s3_bucket: str | None = None  # schema 2.0
    s3_bucket_arn: str | None = None  # schema 1.0


class _TaskName(Struct, rename="camel"):
    task_id: Text


class _Job(Struct, rename="camel"):
    invocation_schema_version: Text
    invocation_id: Text
    tasks: list[_TaskName]


class _Record(Struct, rename="camel"):
    message_id: Text
    body: Any = None
    attributes: Any = None


def messages_in(event: Any) -> list[Message]:
    """Raises UnknownEvent where the event is of no shape that is understood."""
    if records := _sqs_records(event):
        return [Message(record.message_id, record.body, _receives(record)) for record in shaped(records, list[_Record])]
    if _is_batch_operations(event):
        names = shaped(event, _Job).tasks
        return [Message(name.task_id, task) for name, task in zip(names, event["tasks"], strict=True)]
    contents_of(event)  # so that an unknown event is refused at once
    return [Message("event", event)]


def contents_of(payload: Any) -> Contents:
    """The objects that were created or restored, and what else was told. Raises UnknownEvent where that is not understood at all."""
    contents = Contents()
    for event in unwrap(payload):
        try:
            found = event if isinstance(event, UnknownEvent) else _read(event)
        except UnknownEvent as error:
            found = error
        if isinstance(found, UnknownEvent):
            contents.refused = contents.refused or found
        elif isinstance(found, Upload):
            contents.uploads.append(found)
        elif found:
            contents.ignored.append(found)
    if not contents.uploads and not contents.ignored:
        contents.raise_refused()
    return contents


def reply(event: Any, outcomes: list[MessageOutcome]) -> Event:
    """What the sender wants to hear. Raises what an event failed with whose sender listens to nothing else."""
    if _sqs_records(event):
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


def _sqs_records(event: Any) -> list[Any]:
    """The messages of an event source mapping, or of a pipe, which sends them as an array; none where they are not SQS's."""
    records = event.get("Records") if isinstance(event, dict) else event
    if not isinstance(records, list):
        return []
    of_sqs = any(isinstance(record, dict) and record.get("eventSource") == "aws:sqs" for record in records)
    return records if of_sqs else []


def _receives(record: _Record) -> int:
    count = record.attributes.get("ApproximateReceiveCount") if isinstance(record.attributes, dict) else None
    return max(1, int(str(count))) if re.fullmatch(r"[0-9]{1,9}", str(count)) else 1


def _is_batch_operations(event: Any) -> bool:
    return isinstance(event, dict) and "invocationSchemaVersion" in event


def _read(event: Event) -> Upload | str | None:
    """The object of an event that is work, the name of one that is nothing to do."""
    if event.get("Event") == "s3:TestEvent":  # S3 sends one when a notification is set up
        return None
    if is_cloud_type(str(event.get("type"))):
        return read_cloud_event(event)
    if "taskId" in event:
        return _from_task(shaped(event, _Task))
    if event.get("source") == "aws.s3":
        return _from_eventbridge(event)
    if "s3" in event or str(event.get("eventSource")).endswith(":s3"):  # stores that speak S3 name themselves, minio:s3
        return _from_notification(event)
    raise refusal(event)


def _from_notification(event: Event) -> Upload | str:
    if not str(event.get("eventSource", ":s3")).endswith(":s3"):
        raise refusal(event)
    record = shaped(event, _Notification)
    name = record.event.removeprefix("s3:")
    if not name.startswith("ObjectCreated:") and name != "ObjectRestore:Completed":
        return speakable(name)
    if record.s3 is None:
        raise refusal(event, "a notification without its object")
    item = record.s3.object
    return upload_of(event, record.s3.bucket.name, unquote_plus(item.key), item.version, item.etag, item.size)


def _from_eventbridge(event: Event) -> Upload | str:
    name = event.get("detail-type")
    if not isinstance(name, str) or not name.startswith("Object "):
        raise refusal(event, "what CloudTrail or another service says of S3: let the bucket itself tell EventBridge")
    if name not in ("Object Created", "Object Restore Completed"):
        return speakable(name)
    detail = shaped(event.get("detail"), _Detail)
    item = detail.object
    return upload_of(event, detail.bucket.name, item.key, item.version, item.etag, item.size)


def _from_task(task: _Task) -> Upload:
    bucket = task.s3_bucket or (task.s3_bucket_arn or "").rpartition(":")[2]
    name = shaped({"name": bucket}, _Bucket).name
    return Upload(name, key_of(unquote_plus(task.s3_key)), version_of(task.s3_version_id), None)


def _task_result(outcome: MessageOutcome) -> Event:
    if outcome.failure:
        code, text = "TemporaryFailure", str(outcome.failure)
    elif not outcome.results:
        code, text = (
            "PermanentFailure",
            "not classified: the object is gone, a folder, or not under the prefix of uploads",
        )
    elif outcome.results[0].error:
        code, text = "PermanentFailure", outcome.results[0].error.code
    else:
        code, text = "Succeeded", outcome.results[0].key
    return {"taskId": outcome.message.id, "resultCode": code, "resultString": text}
