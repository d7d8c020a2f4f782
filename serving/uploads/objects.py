"""An object as an event names it, and the checks that are made of whoever tells: types, lengths, what may be repeated."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from serving.uploads.envelopes import refusal

NO_VERSION = (None, "", "null")  # "null" is the version of every object that was put while versioning was suspended
LONGEST_KEY = 1024  # bytes in UTF-8; S3's limit, and Google's; Azure's is 1,024 characters
NAME = re.compile(r"[A-Za-z0-9: ]{1,64}", re.ASCII)  # of an event, fit for a log

Text = Annotated[str, Meta(min_length=1, max_length=LONGEST_KEY)]
Key = Annotated[str, Meta(min_length=1)]
Tag = Annotated[str, Meta(pattern=r"^[!-~]+\Z")]  # goes into a header
Version = Annotated[str, Meta(pattern=r"^[!-~]*\Z")]  # may be empty, in a task
T = TypeVar("T")


@dataclass(frozen=True)
class Upload:
    """An object as an event names it."""

    bucket: str  # as model/stores/addresses.py calls it
    key: str
    version_id: str | None  # None in a bucket without versions
    etag: str | None  # None in a task of S3 Batch Operations, and where Azure says that a tier has changed
    size: int | None = field(default=None, compare=False)  # bytes; None where the event does not say


def upload_of(event: Any, bucket: str, key: str, version: str | None, etag: str | None, size: int | None) -> Upload:
    """Raises UnknownEvent where nothing tells which content is meant. An ETag may stand in quotation marks, as HTTP writes it."""
    etag = (etag or "").strip('"') or None
    if etag is None and version_of(version) is None:
        raise refusal(event, "an object without version and ETag")
    return Upload(bucket, key_of(key), version_of(version), etag, size)


def key_of(key: str) -> str:
    try:
        if len(key.encode()) <= LONGEST_KEY:
            return key
    except UnicodeEncodeError:
        pass
    raise refusal(key, "a key that no object can have")


def version_of(id: str | None) -> str | None:
    return None if id in NO_VERSION else id


def speakable(name: str) -> str:
    return name if NAME.fullmatch(name) else "another"


def shaped(value: Any, shape: type[T]) -> T:
    """The value, if it is of that shape. Raises UnknownEvent with what msgspec says: types and field names, no content."""
    try:
        return msgspec.convert(value, shape)
    except (msgspec.ValidationError, UnicodeError, RecursionError) as error:
        reason = "text that cannot be written" if isinstance(error, UnicodeError) else str(error)
    raise refusal(value, f"an event whose fields are of other types: {reason}")
