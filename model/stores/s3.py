"""A store in S3, in whatever speaks S3 at AWS_ENDPOINT_URL, or in what model/stores/clouds.py puts in its place.

A version's number is claimed by a conditional write before anything is uploaded, and the manifest is written last: two
publishers get two versions, and one that is killed leaves a number without a manifest, which is no version. boto3 is imported by the first store in S3 that is opened.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.aws import TAKEN, code_of
from model.aws_errors import translated
from model.errors import ModelCorrupt, ModelNotFound, StoreUnavailable
from model.manifest import MANIFEST, FileEntry, Manifest, sha256_of, verify_files
from model.stores.addresses import address_of, folder_of, in_s3, parse_address
from model.stores.base import ALIASES, VERSION, AliasFile, Progress, no_progress
from model.stores.pulled import draft, make_room, own_cache, remove_abandoned

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CONNECTIONS = 64  # kept open; each is made when a thread needs one
PARALLEL = 4  # files at a time; each large one is itself moved in parallel parts by boto3
TRIES = 5  # of a call
HOUR = 3600  # s; for a file over a slow line
CLAIM = ".claim"


def open_s3_store(uri: str) -> "S3Store":
    bucket, prefix = parse_address(uri)
    return S3Store(open_client(bucket), bucket, prefix)


def open_client(bucket: str) -> "S3Client":
    """The client of the store that the bucket lies in. Raises StoreMisconfigured."""
    if not in_s3(bucket):
        from model.stores.clouds import open_cloud_client

        return open_cloud_client(connect=3, read=30, whole=HOUR, tries=TRIES)
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": "standard", "max_attempts": TRIES}
    with translated("S3"):
        return boto3.client(
            "s3", config=Config(retries=retries, connect_timeout=3, read_timeout=30, max_pool_connections=CONNECTIONS)
        )


class S3Store:
    """`prefix` of `bucket` through `client`, a boto3 S3 client or what stands for one (threads may share one)."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self.client, self.bucket = client, bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.uri = address_of(bucket, prefix).rstrip("/")

    def versions(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for key in self._keys(self.prefix):
            name, _, rest = key.removeprefix(self.prefix).partition("/")
            version, _, path = rest.partition("/")
            if path == MANIFEST and VERSION.fullmatch(version):
                found.setdefault(name, []).append(int(version))
        return {name: sorted(numbers) for name, numbers in sorted(found.items())}

    def read_manifest(self, name: str, version: int) -> Manifest:
        where = f"{self.uri}/{name}/{version}"
        with translated(f"{where}/{MANIFEST}"):
            body = self.client.get_object(Bucket=self.bucket, Key=self._key(name, version, MANIFEST))["Body"].read()
        return Manifest.loads(body, where)

    def pull(self, name: str, version: int, manifest: Manifest, paths: list[str], cache: Path | None) -> Path:
        try:
            directory = (cache or own_cache()) / folder_of(self.bucket) / self.prefix / name / str(version)
            if not directory.exists():
                make_room(directory.parent)
            remove_abandoned(directory)
            _in_parallel(lambda path: self._fetch(name, version, path, manifest.files[path], directory / path), paths)
        except OSError as error:
            raise StoreUnavailable(
                f"{error.filename or cache or 'the temporary directory'} cannot hold the model ({error.strerror}); give it more "
                "room, or set MODEL_CACHE to another folder"
            ) from error
        return directory

    def _fetch(self, name: str, version: int, path: str, entry: FileEntry, target: Path) -> None:
        """Download one file, unless it is there; twice, where what came is not what was published."""
        if target.is_file() and sha256_of(target) == entry.sha256:
            return  # pulled before: an interrupted pull goes on where it stopped
        key = self._key(name, version, path)
        for _ in range(2):
            with draft(target) as part:
                with translated(self._address(key)):
                    self.client.download_fileobj(self.bucket, key, part)
                part.flush()
                if sha256_of(Path(part.name)) == entry.sha256:
                    Path(part.name).replace(target)
                    return
        raise ModelCorrupt(
            f"{self._address(key)} is not the file that was published (its SHA-256 differs); publish the model again"
        )

    def publish(self, directory: Path, manifest: Manifest, progress: Progress = no_progress) -> int:
        verify_files(directory, manifest, manifest.files)
        version = self._claim(manifest.name)

        def upload(path: str) -> None:
            key = self._key(manifest.name, version, path)
            with (directory / path).open("rb") as file, translated(self._address(key)):
                self.client.upload_fileobj(file, self.bucket, key, Callback=progress)

        _in_parallel(upload, manifest.files)
        with translated(f"{self.uri}/{manifest.name}/{version}"):
            if not self._put_once(self._key(manifest.name, version, MANIFEST), manifest.dumps().encode()):
                raise StoreUnavailable(
                    f"{self.uri}/{manifest.name}/{version}: the store did not take its manifest; publish again"
                )
        return version

    def _claim(self, name: str) -> int:
        folder = f"{self.prefix}{name}/"
        numbers = (key.removeprefix(folder).partition("/")[0] for key in self._keys(folder))
        version = max((int(number) for number in numbers if VERSION.fullmatch(number)), default=0) + 1
        with translated(f"{self.uri}/{name}"):
            while not self._put_once(self._key(name, version, CLAIM), b""):
                version += 1
        return version

    def remove(self, name: str, version: int) -> None:
        prefix = f"{self.prefix}{name}/{version}/"
        with translated(f"{self.uri}/{name}/{version}"):
            self.client.delete_object(Bucket=self.bucket, Key=self._key(name, version, MANIFEST))
        for key in list(self._keys(prefix)):
            with translated(self._address(key)):
                self.client.delete_object(Bucket=self.bucket, Key=key)

    def aliases(self, name: str) -> list[str]:
        prefix = f"{self.prefix}{name}/{ALIASES}/"
        return sorted(key.removeprefix(prefix).removesuffix(".json") for key in self._keys(prefix))

    def read_alias(self, name: str, alias: str) -> AliasFile | None:
        key = self._alias_key(name, alias)
        try:
            with translated(self._address(key)):
                answer = self.client.get_object(Bucket=self.bucket, Key=key)
                return AliasFile(answer["Body"].read(), answer["ETag"])
        except ModelNotFound:
            return None

    def write_alias(self, name: str, alias: str, content: bytes, seen: AliasFile | None) -> bool:
        unless: dict[str, Any] = {"IfMatch": seen.tag} if seen else {"IfNoneMatch": "*"}
        key = self._alias_key(name, alias)
        with translated(self._address(key)):
            return self._put(key, content, unless)

    def _put_once(self, key: str, body: bytes) -> bool:
        """Write unless the key exists; tell whether it was written."""
        return self._put(key, body, {"IfNoneMatch": "*"})

    def _put(self, key: str, body: bytes, unless: dict[str, Any]) -> bool:
        from botocore.exceptions import ClientError

        try:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **unless)
        except ClientError as error:
            if code_of(error) in TAKEN:
                return False
            raise
        return True

    def _keys(self, prefix: str) -> Iterator[str]:
        with translated(self._address(prefix)):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    yield entry["Key"]

    def _address(self, key: str) -> str:
        return address_of(self.bucket, key)

    def _key(self, name: str, version: int, path: str) -> str:
        return f"{self.prefix}{name}/{version}/{path}"

    def _alias_key(self, name: str, alias: str) -> str:
        return f"{self.prefix}{name}/{ALIASES}/{alias}.json"


def _in_parallel(act: Callable[[str], None], paths: Any) -> None:
    with ThreadPoolExecutor(PARALLEL) as pool:
        for done in [pool.submit(act, path) for path in paths]:
            done.result()
