"""CloudEvents of Azure Blob Storage and of Google Cloud Storage → the object that was created, or the name of what is nothing to do.

Sources: learn.microsoft.com/azure/event-grid/event-schema-blob-storage; github.com/googleapis/google-cloudevents, StorageObjectData.
"""

import re
from typing import Annotated

from msgspec import Meta, Struct, field

from model.stores.addresses import AZURE, GOOGLE
from serving.uploads.envelopes import Event, refusal
from serving.uploads.objects import Key, Text, Upload, key_of, shaped, speakable, upload_of

AZURE_TYPES, GOOGLE_TYPES = "Microsoft.Storage.", "google.cloud.storage.object.v1."  # what types of events begin with
# Where an event is about, its blob's name as it is; `url` in the data holds it too, but whether a # or % in it is encoded is not said.
SUBJECT = re.compile(r"/blobServices/default/containers/([a-z0-9-]{3,63})/blobs/(.+)", re.DOTALL)
UNFINISHED = {"CreateFile", "SftpCreate"}  # calls of Data Lake Storage and SFTP that make a file, to be written yet
ETag = Annotated[str, Meta(pattern=r'^"?[!#-~]+"?\Z')]  # with its quotation marks, or without
Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z")]  # 64 bits, as JSON of protocol buffers writes them


class _Blob(Struct, rename="camel"):
    api: Text | None = None
    etag: ETag | None = field(default=None, name="eTag")
    content_length: int | None = None


class _BlobEvent(Struct):
    subject: Text
    data: _Blob


class _StoredObject(Struct):
    bucket: Annotated[str, Meta(pattern=r"^[a-z0-9._-]{3,222}\Z")]
    name: Key
    generation: Digits | int
    size: Digits | int | None = None


class _StoredEvent(Struct):
    data: _StoredObject


def is_cloud_type(type: str) -> bool:
    return type.startswith((AZURE_TYPES, GOOGLE_TYPES))


def read_cloud_event(event: Event) -> Upload | str:
    """Raises UnknownEvent."""
    type = str(event["type"])
    return _of_azure(event, type) if type.startswith(AZURE_TYPES) else _of_google(event, type)


def _of_azure(event: Event, type: str) -> Upload | str:
    name = type.removeprefix(AZURE_TYPES)
    if name not in ("BlobCreated", "BlobTierChanged"):
        return speakable(name)
    blob = shaped(event, _BlobEvent)
    if blob.data.api in UNFINISHED:
        return blob.data.api
    about = SUBJECT.fullmatch(blob.subject)
    if about is None:
        raise refusal(event, "an event of Azure Blob Storage whose subject names no blob")
    bucket, key = f"{AZURE}{about[1]}", about[2]
    if name == "BlobTierChanged":  # out of the archive, perhaps; it tells no ETag
        return Upload(bucket, key_of(key), None, None, blob.data.content_length)
    return upload_of(event, bucket, key, None, blob.data.etag, blob.data.content_length)


def _of_google(event: Event, type: str) -> Upload | str:
    name = type.removeprefix(GOOGLE_TYPES)
    if name != "finalized":
        return speakable(name)
    item = shaped(event, _StoredEvent).data
    size = None if item.size is None else int(item.size)
    return upload_of(event, f"{GOOGLE}{item.bucket}", item.name, str(item.generation), None, size)
