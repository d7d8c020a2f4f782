"""What a Distributed Map hands to `handler.bulk` → the objects it means. It knows the shapes of each reader, and no S3.

A listing, an inventory, a CSV and JSON Lines each spell their columns in their own way, and a table need not say more than a
key. Keys of an inventory are URL-encoded (docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from msgspec import Struct

from serving.errors import MalformedRequest, UnknownEvent
from serving.s3 import FOLDERS
from serving.schemas import UploadedObject

INVENTORY = "inventory"  # the source whose keys are encoded
COLUMNS = {"bucket": "bucket", "key": "key", "versionid": "version_id", "etag": "etag"}  # any case, with or without _
IN_A_HEADER = re.compile(r"[!-~]*")


class _Event(Struct, rename="pascal"):
    items: list[Any]
    batch_input: dict[str, str | None] | None = None
    alone: str | None = None


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
    try:
        given = msgspec.convert(event, _Event)
    except (msgspec.ValidationError, UnicodeError):
        raise UnknownEvent(
            "handler.bulk understands batches of a Distributed Map: Items, and BatchInput with a bucket"
        ) from None
    rows = [_plain(row) for row in given.items]
    items = (_item(row, given.batch_input or {}) for row in rows if row.get("isdeletemarker", "").lower() != "true")
    return Batch(tuple(item for item in items if not item.key.endswith(FOLDERS)), given.alone)


def _plain(row: Any) -> dict[str, str]:
    if not isinstance(row, dict):
        raise MalformedRequest(f"an item must be an object with a key, not {str(row)[:80]!r}")
    texts = {str(name).replace("_", "").lower(): str(value) for name, value in row.items() if value is not None}
    return {name: text.encode("utf-8", "replace").decode() for name, text in texts.items()}  # no half of a character


def _item(row: Mapping[str, str], common: Mapping[str, str | None]) -> UploadedObject:
    found = {name: row[column] for column, name in COLUMNS.items() if row.get(column)}
    bucket = found.pop("bucket", common.get("bucket"))
    if "key" not in found or not bucket:
        raise MalformedRequest(f"an item names no key, or no bucket: its columns are {', '.join(row) or 'none'}")
    key = unquote_plus(found["key"]) if common.get("source") == INVENTORY else found["key"]
    version, etag = found.get("version_id"), found.get("etag", "").strip('"')
    etag = etag if IN_A_HEADER.fullmatch(etag) else ""
    return UploadedObject(bucket, key, None if version in (None, "null") else version, etag or None)
