"""Who else hears of a result, where the operator wants it: a tag on the uploaded object, an event on EventBridge.

It comes after the result is written, so it may come twice (after a crash in between), and never without a result.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from model.decision import Decision
from model.errors import StoreUnavailable
from serving.errors import ObjectArchived, ObjectLocked, ObjectNotFound
from serving.s3 import s3_errors
from serving.schemas import UploadedObject, UploadResult

Facts = dict[str, object]  # for the log, where something did not go as it mostly does
Notify = Callable[[UploadResult], Facts]  # raises StoreError

TAG = "label"
MOST_TAGS = 10  # of an object; S3's limit
NOT_TAKEN = {"BadRequest", "InvalidTag", "MethodNotAllowed", "NotImplemented"}  # of a tag; trying again changes nothing
NOT_IN_TAGS = re.compile(r"[^\w\s+\-=.:/@]")  # what S3 allows in a tag's value, at most 256 characters
SOURCE = "serverless-image-recognition"


class ObjectTagger:
    """Writes the best label onto the object, beside the tags that it has, through a boto3 S3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __call__(self, result: UploadResult) -> Facts:
        if not result.labels:
            return {}
        if result.decision is Decision.UNKNOWN:
            return {"tag": "skipped: the picture shows nothing that the model was taught"}
        wanted = _version_of(result.object)
        tag = {"Key": TAG, "Value": NOT_IN_TAGS.sub("_", result.labels[0].name)[:256]}
        try:
            with s3_errors(f"s3://{result.object.bucket}/{result.object.key}"):
                return self._write(wanted, tag)
        except (ObjectNotFound, ObjectArchived, ObjectLocked):
            return {"tag": "skipped: the object is gone, or takes none"}

    def _write(self, wanted: dict[str, str], tag: dict[str, str]) -> Facts:
        from botocore.exceptions import ClientError

        from model.aws import code_of

        others = [kept for kept in self._client.get_object_tagging(**wanted)["TagSet"] if kept["Key"] != TAG]
        if len(others) >= MOST_TAGS:
            return {"tag": f"skipped: the object has {len(others)} other tags, and S3 takes {MOST_TAGS}"}
        try:
            self._client.put_object_tagging(**wanted, Tagging={"TagSet": [*others, tag]})
        except ClientError as error:
            if code_of(error) in NOT_TAKEN:
                return {"tag": f"skipped: S3 answered {code_of(error)}"}
            raise
        return {}


class EventPublisher:
    """Puts the result on the account's default event bus, through a boto3 EventBridge client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __call__(self, result: UploadResult) -> Facts:
        from model.aws_errors import translated

        entry = {
            "Source": SOURCE,
            "DetailType": "Upload Rejected" if result.error else "Upload Classified",
            "Detail": msgspec.json.encode(result).decode(),
        }
        with translated(f"EventBridge, for the event of {result.key}"):
            answer = self._client.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise StoreUnavailable(f"EventBridge did not take the event of {result.key} ({answer['Entries'][0]})")
        return {}


def _version_of(item: UploadedObject) -> dict[str, str]:
    wanted = {"Bucket": item.bucket, "Key": item.key}
    return wanted | {"VersionId": item.version_id} if item.version_id else wanted
