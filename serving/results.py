"""What an upload leads to: one result for each version of an object, written once beside the uploads and never changed.

A result lies in the object's own bucket at <results prefix><key>@<version>.json; the ETag takes the version's place where the
bucket keeps no versions. It knows how results are kept, not how they come about.
"""

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from model.errors import StoreUnavailable
from serving.errors import ObjectNotFound
from serving.s3 import read_body, s3_errors
from serving.schemas import UploadResult

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

LONGEST_KEY = 1024  # bytes in UTF-8; S3's limit


def result_key(prefix: str, key: str, version: str) -> str:
    """Where the result of this version of an object goes. A key too long to be part of another gives its SHA-256."""
    name = f"{prefix}{key}@{version}.json"
    if len(name.encode()) <= LONGEST_KEY:
        return name
    return f"{prefix}{hashlib.sha256(key.encode()).hexdigest()}@{version}.json"


class Results:
    """The results in `prefix` of any bucket, through `client`, a boto3 S3 client (threads may share one)."""

    def __init__(self, client: "S3Client", prefix: str) -> None:
        self._client, self._prefix = client, prefix

    def key_of(self, key: str, version: str) -> str:
        return result_key(self._prefix, key, version)

    def read(self, bucket: str, key: str) -> UploadResult | None:
        """Raises StoreError."""
        try:
            with s3_errors(f"s3://{bucket}/{key}"):
                body = read_body(self._client.get_object(Bucket=bucket, Key=key)["Body"])
        except ObjectNotFound:
            return None
        return msgspec.json.decode(body, type=UploadResult)

    def write_once(self, result: UploadResult) -> UploadResult:
        """Write it, unless there is one; return the one that stands. Raises StoreError."""
        from botocore.exceptions import ClientError

        from model.aws import TAKEN, code_of

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
