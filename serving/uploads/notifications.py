"""Who else hears of a result, where the operator wants it: a tag on the uploaded object, an event on EventBridge.

It comes after the result is written, so it may come twice (after a crash in between), and never without a result.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from model.errors import StoreUnavailable
from serving.errors import ObjectNotFound
from serving.s3 import s3_errors
from serving.schemas import UploadedObject, UploadResult

Notify = Callable[[UploadResult], None]  # raises StoreError

TAG = "label"
NOT_IN_TAGS = re.compile(r"[^\w\s+\-=.:/@]")  # what S3 allows in a tag's value, at most 256 characters
SOURCE = "serverless-image-recognition"


class ObjectTagger:
    """Writes the best label onto the object, beside the tags that it has, through a boto3 S3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __call__(self, result: UploadResult) -> None:
        if not result.labels:
            return
        wanted = _version_of(result.object)
        tag = {"Key": TAG, "Value": NOT_IN_TAGS.sub("_", result.labels[0].name)[:256]}
        try:
            with s3_errors(f"s3://{result.object.bucket}/{result.object.key}"):
                others = [kept for kept in self._client.get_object_tagging(**wanted)["TagSet"] if kept["Key"] != TAG]
                self._client.put_object_tagging(**wanted, Tagging={"TagSet": [*others, tag]})
        except ObjectNotFound:
            return  # deleted since: there is nothing to tag


class EventPublisher:
    """Puts the result on the account's default event bus, through a boto3 EventBridge client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __call__(self, result: UploadResult) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        entry = {
            "Source": SOURCE,
            "DetailType": "Upload Rejected" if result.error else "Upload Classified",
            "Detail": msgspec.json.encode(result).decode(),
        }
        try:
            answer = self._client.put_events(Entries=[entry])
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable(f"EventBridge did not take the event of {result.key} ({error})") from error
        if answer["FailedEntryCount"]:
            raise StoreUnavailable(f"EventBridge did not take the event of {result.key} ({answer['Entries'][0]})")


def _version_of(item: UploadedObject) -> dict[str, str]:
    wanted = {"Bucket": item.bucket, "Key": item.key}
    return wanted | {"VersionId": item.version_id} if item.version_id else wanted
