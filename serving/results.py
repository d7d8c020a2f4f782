"""What an upload leads to: one result for each version of an object, written once beside the uploads and never changed.

A result lies in the object's own bucket at <results prefix><key>@<version>.json; the ETag takes the version's place where the
bucket keeps no versions. It knows how results are kept, not how they come about.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from model.classifier import Label
from model.errors import ModelNotFound, StoreUnavailable
from serving.errors import ObjectNotFound
from serving.messages import ImageFacts, ModelName, Problem

LONGEST_KEY = 1024  # bytes in UTF-8; S3's limit


class UploadedObject(Struct, frozen=True):
    bucket: str
    key: str
    version_id: Annotated[str | None, Meta(description="Null where the bucket keeps no versions.")] = None
    etag: str | None = None
    size: Annotated[int | None, Meta(description="Bytes; null where the object was gone before it could be read.")] = (
        None
    )


class Timing(Struct, frozen=True):
    """Milliseconds."""

    read: float
    decode: float
    infer: float


class UploadResult(Struct, frozen=True, omit_defaults=True):
    """What became of an uploaded image: its labels, or an error that trying again would not mend."""

    object: UploadedObject
    key: Annotated[str, Meta(description="Of this result, in the same bucket.")]
    created: Annotated[str, Meta(description="ISO 8601, UTC.")]
    timing: Timing
    labels: list[Label] | None = None
    model: ModelName | None = None
    image: ImageFacts | None = None
    error: Problem | None = None


def result_key(prefix: str, key: str, version: str) -> str:
    """Where the result of this version of an object goes. A key too long to be part of another gives its SHA-256."""
    name = f"{prefix}{key}@{version}.json"
    if len(name.encode()) <= LONGEST_KEY:
        return name
    return f"{prefix}{hashlib.sha256(key.encode()).hexdigest()}@{version}.json"


class Results:
    """The results in `prefix` of any bucket, through `client`, a boto3 S3 client (threads may share one)."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client, self._prefix = client, prefix

    def key_of(self, key: str, version: str) -> str:
        return result_key(self._prefix, key, version)

    def read(self, bucket: str, key: str) -> UploadResult | None:
        """Raises StoreError."""
        try:
            with s3_errors(f"s3://{bucket}/{key}"):
                body = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ObjectNotFound:
            return None
        return msgspec.json.decode(body, type=UploadResult)

    def write_once(self, result: UploadResult) -> UploadResult:
        """Write it, unless there is one; return the one that stands. Raises StoreError."""
        from botocore.exceptions import ClientError

        from model.s3 import TAKEN, code_of

        bucket, body = result.object.bucket, msgspec.json.encode(result)
        with s3_errors(f"s3://{bucket}/{result.key}"):
            try:
                self._client.put_object(
                    Bucket=bucket, Key=result.key, Body=body, ContentType="application/json", IfNoneMatch="*"
                )
            except ClientError as error:
                if code_of(error) not in TAKEN:
                    raise
                return self._standing(bucket, result.key)
        return result

    def _standing(self, bucket: str, key: str) -> UploadResult:
        standing = self.read(bucket, key)
        if standing is None:
            raise StoreUnavailable(f"s3://{bucket}/{key} is being written or deleted by somebody else; try again")
        return standing

    def newest(self, bucket: str, key: str) -> UploadResult | None:
        """The result of the object's version that was classified last. Raises StoreError."""
        prefix = f"{self._prefix}{key}@"
        with s3_errors(f"s3://{bucket}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            found: list[tuple[datetime, str]] = [
                (entry["LastModified"], entry["Key"]) for page in pages for entry in page.get("Contents", [])
            ]
        return self.read(bucket, max(found)[1]) if found else None


@contextmanager
def s3_errors(where: str) -> Iterator[None]:
    """Turn the SDK's errors into ours: ObjectNotFound, StoreForbidden or StoreUnavailable."""
    from model.s3 import translated

    try:
        with translated(where):
            yield
    except ModelNotFound as error:
        raise ObjectNotFound(f"{where} does not exist (any more)") from error
