"""Azure Blob Storage and Google Cloud Storage in the place of S3: the calls that are made of a boto3 S3 client, made by obstore.

Both write conditionally as S3 does. What tells contents apart is Azure's ETag, and Google's generation, which is what its conditions
compare; either is handed out as the ETag. Errors are botocore's, under codes of the table in model/aws.py. Credentials come from the
variables that obstore reads, or from the identity of the machine. obstore is imported by the first object that is touched.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, Self, cast

from model.errors import StoreMisconfigured
from model.stores.addresses import AZURE, GOOGLE
from model.stores.cloud_errors import as_botocore, error_of

if TYPE_CHECKING:
    from obstore import BytesStream, GetOptions, ObjectMeta, PutMode
    from obstore.store import AzureStore, ClientConfig, GCSStore, RetryConfig
    from types_boto3_s3 import S3Client

PAGE = 1000  # objects, as S3 lists them
PART = 8 * 2**20  # bytes that are written at a time


def open_cloud_client(connect: int, read: int, whole: int, tries: int) -> "S3Client":
    """A client that stands for boto3's; seconds to connect, between bytes and for a request whole. Raises StoreMisconfigured."""
    try:
        import obstore  # noqa: F401
    except ModuleNotFoundError as error:
        raise StoreMisconfigured(
            "az:// and gs:// need the package obstore, which the server image and the training package have, and the image of the "
            "Lambda functions has not; use S3 there"
        ) from error
    return cast("S3Client", CloudClient(connect, read, whole, tries))


class CloudClient:
    """Buckets are called `az://container` and `gs://bucket`; threads may share one."""

    def __init__(self, connect: int, read: int, whole: int, tries: int) -> None:
        self._connect, self._read, self._whole, self._tries = connect, read, whole, tries
        self._stores: dict[str, AzureStore | GCSStore] = {}

    def get_object(
        self, *, Bucket: str, Key: str, VersionId: str | None = None, IfMatch: str | None = None
    ) -> dict[str, Any]:
        options = _options(VersionId)
        if IfMatch:
            options |= {"version": IfMatch.strip('"')} if Bucket.startswith(GOOGLE) else {"if_match": IfMatch}
        with as_botocore("GetObject"):
            found = self._store(Bucket).get(_path(Key), options=options)
            return _facts(Bucket, found.meta) | {"Body": _Body(found.stream(min_chunk_size=1))}

    def head_object(self, *, Bucket: str, Key: str, VersionId: str | None = None) -> dict[str, Any]:
        with as_botocore("HeadObject"):
            found = self._store(Bucket).get(_path(Key), options=_options(VersionId) | {"head": True})
            return _facts(Bucket, found.meta)

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: bytes,
        ContentType: str = "application/octet-stream",
        IfMatch: str | None = None,
        IfNoneMatch: str | None = None,
    ) -> None:
        mode: PutMode = "create" if IfNoneMatch else "overwrite"
        if IfMatch:
            mode = {"version": IfMatch.strip('"')} if Bucket.startswith(GOOGLE) else {"e_tag": IfMatch}
        with as_botocore("PutObject"):
            self._store(Bucket).put(_path(Key), Body, attributes={"Content-Type": ContentType}, mode=mode)

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        with as_botocore("DeleteObject"), suppress(FileNotFoundError):
            self._store(Bucket).delete(_path(Key))

    def download_fileobj(self, bucket: str, key: str, target: IO[bytes]) -> None:
        with as_botocore("GetObject"):
            parts = _Body(self._store(bucket).get(_path(key)).stream(min_chunk_size=PART))
        while part := parts.read(PART):
            target.write(part)

    def upload_fileobj(
        self, file: IO[bytes], bucket: str, key: str, Callback: Callable[[int], None] | None = None
    ) -> None:
        with as_botocore("PutObject"):
            self._store(bucket).put(_path(key), file)
        if Callback:
            Callback(file.tell())  # obstore says nothing in between

    def get_paginator(self, operation: str) -> Any:
        """Of list_objects_v2, which is the one that is asked for."""
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, *, Bucket: str, Prefix: str = "") -> Iterator[dict[str, Any]]:
        folder = Prefix.rpartition("/")[0]  # obstore's prefixes are folders; what is not below ours is left out here
        with as_botocore("ListObjectsV2"):
            for page in self._store(Bucket).list(folder or None, chunk_size=PAGE):
                found = [(meta["path"], meta) for meta in page if meta["path"].startswith(Prefix)]
                yield {
                    "Contents": [
                        {
                            "Key": key,
                            "ETag": _tag(Bucket, meta),
                            "Size": meta["size"],
                            "LastModified": meta["last_modified"],
                        }
                        for key, meta in found
                    ]
                }

    def _store(self, bucket: str) -> "AzureStore | GCSStore":
        if bucket not in self._stores:
            self._stores[bucket] = self._open(bucket)
        return self._stores[bucket]

    def _open(self, bucket: str) -> "AzureStore | GCSStore":
        from obstore.exceptions import BaseError
        from obstore.store import AzureStore, GCSStore

        client: ClientConfig = {
            "allow_http": True,  # of an endpoint that the operator names; the clouds' own are https
            "connect_timeout": timedelta(seconds=self._connect),
            "read_timeout": timedelta(seconds=self._read),
            "timeout": timedelta(seconds=self._whole),
        }
        retry: RetryConfig = {"max_retries": self._tries - 1, "retry_timeout": timedelta(seconds=self._whole)}
        try:
            if bucket.startswith(AZURE):
                return AzureStore(bucket.removeprefix(AZURE), client_options=client, retry_config=retry)
            return GCSStore(bucket.removeprefix(GOOGLE), client_options=client, retry_config=retry)
        except BaseError as error:
            raise error_of("Misconfigured", error, "open") from error


class _Body:
    """An object's bytes as they come, as botocore's StreamingBody hands them out."""

    def __init__(self, stream: "BytesStream") -> None:
        self._stream: Iterator[bytes] = iter(stream)

    def read(self, size: int | None = None) -> bytes:
        """All that is left; with a size, whatever came next, and nothing at the end."""
        with as_botocore("GetObject"):
            return next(self._stream, b"") if size else b"".join(self._stream)

    def close(self) -> None:
        self._stream = iter(())  # the connection ends with the stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _options(version: str | None) -> "GetOptions":
    return {"version": version} if version else {}


def _facts(bucket: str, meta: "ObjectMeta") -> dict[str, Any]:
    return {"ETag": _tag(bucket, meta), "ContentLength": meta["size"], "LastModified": meta["last_modified"]}


def _tag(bucket: str, meta: "ObjectMeta") -> str:
    """In quotation marks, as S3 writes it and Azure's listing does not. Google's listing tells no generation."""
    told = (meta["version"] if bucket.startswith(GOOGLE) else None) or meta["e_tag"] or ""
    return '"{}"'.format(told.strip('"'))


def _path(key: str) -> str:
    """obstore takes slashes at the ends away, which would be another object. Raises ValueError, as it does of other keys."""
    if key != key.strip("/"):
        raise ValueError(f"{key!r} begins or ends with a slash")
    return key
