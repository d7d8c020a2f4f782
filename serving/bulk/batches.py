"""What a Distributed Map hands to `handler.bulk` → the objects it means. It knows the shapes of each reader, and no S3.

A listing, an inventory, a CSV and JSON Lines each spell their columns in their own way, and a table need not say more than a
key. Keys of an inventory are URL-encoded (docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from serving.errors import MalformedRequest, UnknownEvent
from serving.schemas import UploadedObject

INVENTORY = "inventory"  # the source whose keys are encoded
FOLDERS = ("/", "_$folder$")  # how keys end that S3's console and Hadoop put, empty, to show a folder
COLUMNS = {"bucket": "bucket", "key": "key", "versionid": "version_id", "etag": "etag"}  # any case, with or without _


@dataclass(frozen=True)
class Batch:
    items: tuple[UploadedObject, ...]
    alone: str | None = None  # the execution in which the batch ended an invocation: its images are tried one at a time

    @property
    def digest(self) -> str:
        """What the batch's results are kept under: the same for the same objects with the same content."""
        parts = (f"{item.bucket}\0{item.key}\0{item.version_id or item.etag}\n" for item in self.items)
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    @property
    def settled(self) -> bool:
        """Whether each item says which content it means, so that the results of its batch stay true."""
        return all(item.version_id or item.etag for item in self.items)


def read_batch(event: Any) -> Batch:
    """Raises UnknownEvent for what no Distributed Map sends, MalformedRequest for an item without a key."""
    if not isinstance(event, dict) or not isinstance(event.get("Items"), list):
        raise UnknownEvent("handler.bulk understands batches of a Distributed Map: Items, and BatchInput with a bucket")
    common = event.get("BatchInput") or {}
    rows = [_plain(row) for row in event["Items"]]
    items = (_item(row, common) for row in rows if row.get("isdeletemarker") != "true")
    return Batch(tuple(item for item in items if not item.key.endswith(FOLDERS)), event.get("Alone"))


def _plain(row: Any) -> dict[str, str]:
    if not isinstance(row, dict):
        raise MalformedRequest(f"an item must be an object with a key, not {str(row)[:80]!r}")
    return {str(name).replace("_", "").lower(): str(value) for name, value in row.items() if value is not None}


def _item(row: Mapping[str, str], common: Mapping[str, str]) -> UploadedObject:
    found = {name: row[column] for column, name in COLUMNS.items() if row.get(column)}
    bucket = found.pop("bucket", common.get("bucket", ""))
    if "key" not in found or not bucket:
        raise MalformedRequest(f"an item names no key, or no bucket: its columns are {', '.join(row) or 'none'}")
    key = unquote_plus(found["key"]) if common.get("source") == INVENTORY else found["key"]
    version, etag = found.get("version_id"), found.get("etag", "").strip('"')
    return UploadedObject(bucket, key, None if version in (None, "null") else version, etag or None)
