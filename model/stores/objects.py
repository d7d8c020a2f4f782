"""Any objects of a bucket, listed, read and written one by one: images that lie in S3 or beside it, and tables of results. It knows no
models."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from model.aws_errors import translated
from model.stores.addresses import address_of
from model.stores.pulled import draft
from model.stores.s3 import open_client

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class RemoteObject:
    key: str
    etag: str  # changes whenever the content does
    size: int  # bytes

    @property
    def shows_folder(self) -> bool:
        """Whether it is an empty object that consoles put for a folder; obstore tells `rose/` as `rose`."""
        return self.key.endswith("/") or (self.size == 0 and "." not in self.key.rpartition("/")[2])


def open_bucket(name: str) -> "Bucket":
    """Open a bucket (of S3, at any endpoint through AWS_ENDPOINT_URL, `az://container` or `gs://bucket`); nothing is touched yet."""
    return Bucket(open_client(name), name)


class Bucket:
    """Methods raise ModelNotFound, StoreForbidden or StoreUnavailable; threads may share one."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self.client, self.name = client, name

    def list(self, prefix: str) -> Iterator[RemoteObject]:
        with translated(address_of(self.name, prefix)):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
                for entry in page.get("Contents", []):
                    yield RemoteObject(entry["Key"], entry["ETag"], entry["Size"])

    def head(self, key: str) -> RemoteObject:
        with translated(address_of(self.name, key)):
            answer = self.client.head_object(Bucket=self.name, Key=key)
            return RemoteObject(key, answer["ETag"], answer["ContentLength"])

    def download(self, key: str, target: Path) -> None:
        """Write the object to a file, whole or not at all."""
        with draft(target) as part:
            with translated(address_of(self.name, key)):
                self.client.download_fileobj(self.name, key, part)
            part.flush()
            Path(part.name).replace(target)

    def read(self, key: str, at_most: int) -> bytes:
        """Return the object's content, but no more of it than shows that it has more bytes."""
        parts, size = list[bytes](), 0
        with translated(address_of(self.name, key)), self.client.get_object(Bucket=self.name, Key=key)["Body"] as body:
            while size <= at_most and (part := body.read(at_most + 1 - size)):
                parts.append(part)
                size += len(part)
        return b"".join(parts)

    def upload(self, file: IO[bytes], key: str) -> None:
        """Write the object, whole or not at all."""
        with translated(address_of(self.name, key)):
            self.client.upload_fileobj(file, self.name, key)
