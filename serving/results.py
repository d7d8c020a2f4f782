"""What an upload leads to: one result for each version of an object, written once beside the uploads.

A result lies in the object's own bucket at <results prefix><key>@<version>.json; the ETag takes the version's place where the
bucket keeps no versions. It is never changed, but where something there is no result, or its writer says what it stands for has
come to an end. It knows how results are kept, not how they come about.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from model.errors import StoreUnavailable
from model.stores.addresses import address_of
from serving.s3 import kept, read_kept
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


@dataclass(frozen=True)
class Standing:
    """What lies where a result belongs."""

    result: UploadResult | None  # None: something else, which whoever may write there put
    etag: str


class Results:
    """The results in `prefix` of any bucket, through `client`, a boto3 S3 client or what stands for one (threads may share one)."""

    def __init__(self, client: "S3Client", prefix: str) -> None:
        self._client, self._prefix = client, prefix

    def key_of(self, key: str, version: str) -> str:
        return result_key(self._prefix, key, version)

    def find(self, bucket: str, key: str) -> Standing | None:
        """Raises StoreError."""
        found = read_kept(self._client, bucket, key)
        return Standing(_decoded(found[0], key), found[1]) if found else None

    def read(self, bucket: str, key: str) -> UploadResult | None:
        """Raises StoreError."""
        standing = self.find(bucket, key)
        return standing.result if standing else None

    def write_once(self, result: UploadResult, instead_of: Standing | None = None) -> UploadResult:
        """Write it, unless there is another by now; return the one that stands. Raises ObjectNotFound (no bucket) or StoreError."""
        from botocore.exceptions import ClientError

        from model.aws import TAKEN, code_of

        bucket, body = result.object.bucket, msgspec.json.encode(result)
        unless: Any = {"IfMatch": instead_of.etag} if instead_of else {"IfNoneMatch": "*"}
        with kept(address_of(bucket, result.key)):
            try:
                self._client.put_object(
                    Bucket=bucket, Key=result.key, Body=body, ContentType="application/json", **unless
                )
            except ClientError as error:
                if code_of(error) not in TAKEN and code_of(error) != "NoSuchKey":  # to IfMatch: deleted since
                    raise
                return self._standing(bucket, result.key)
        return result

    def _standing(self, bucket: str, key: str) -> UploadResult:
        standing = self.read(bucket, key)
        if standing is None:
            raise StoreUnavailable(f"{address_of(bucket, key)} is being written or deleted by somebody else; try again")
        return standing

    def newest(self, bucket: str, key: str) -> UploadResult | None:
        """The result of the object's version that was classified last. Raises StoreError."""
        prefix = f"{self._prefix}{key}@"
        with kept(address_of(bucket, prefix)):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            found: list[tuple[datetime, str]] = [
                (entry["LastModified"], entry["Key"]) for page in pages for entry in page.get("Contents", [])
            ]
        results = (self.read(bucket, name) for _, name in sorted(found, reverse=True))
        return next((result for result in results if result and result.object.key == key), None)


def _decoded(body: bytes, key: str) -> UploadResult | None:
    try:
        result = msgspec.json.decode(body, type=UploadResult)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return result if result.key == key else None
