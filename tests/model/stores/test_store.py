"""Every store keeps the same promises. S3 is moto's server, spoken to over HTTP by the real boto3; tests/support/clouds.py says what the
others are."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from boto3.exceptions import RetriesExceededError

from model.errors import ModelCorrupt, ModelNotFound, StoreForbidden, StoreUnavailable
from model.manifest import MANIFEST, Manifest, describe_files
from model.stores.addresses import address_of, is_remote, parse_address
from model.stores.base import Store
from model.stores.s3 import S3Store, open_client
from model.stores.uri import open_store, resolve
from tests import ROOT
from tests.model.test_manifest import manifest
from tests.support.clouds import KINDS, empty_bucket

FILES = {"saved_model.pb": 2_000, "variables/variables.data": 9_000_000, "assets.extra/labels.txt": 20}


@pytest.fixture(params=["local", *KINDS])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "local":
        yield open_store(str(tmp_path / "store"))
    else:
        yield open_store(address_of(empty_bucket(request, request.param), "some/prefix"))


def change(store: Store, path: str, content: bytes | None) -> None:
    """Another content of a file of version 1, or none any more, whoever did that."""
    if not is_remote(store.uri):
        file = Path(store.uri) / "flowers/1" / path
        file.write_bytes(content) if content is not None else file.unlink()
        return
    bucket, prefix = parse_address(store.uri)
    client, key = open_client(bucket), f"{prefix}/flowers/1/{path}"
    if content is None:
        client.delete_object(Bucket=bucket, Key=key)
    else:
        client.put_object(Bucket=bucket, Key=key, Body=content)


def finished(directory: Path, seed: int = 0) -> tuple[Path, Manifest]:
    """A directory that looks like an export: files of a few sizes, one larger than S3's part of 8 MiB."""
    for path, size in FILES.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(hashlib.shake_128(f"{seed}{path}".encode()).digest(size))
    return directory, manifest(files=describe_files(directory))


def test_what_is_published_is_pulled_back_bit_for_bit(store: Store, tmp_path: Path) -> None:
    directory, described = finished(tmp_path / "export")
    moved = []
    assert store.publish(directory, described, moved.append) == 1
    assert sum(moved) == sum(FILES.values())
    version = resolve(f"{store.uri}/flowers")
    assert version.manifest() == described
    pulled = version.pull(described, list(FILES), tmp_path / "cache")
    for path in FILES:
        assert (pulled / path).read_bytes() == (directory / path).read_bytes()


def test_versions_count_up_and_the_newest_is_found(store: Store, tmp_path: Path) -> None:
    for seed in range(3):
        assert store.publish(*finished(tmp_path / str(seed), seed)) == seed + 1
    assert store.versions() == {"flowers": [1, 2, 3]}
    assert resolve(f"{store.uri}/flowers").number == 3
    assert resolve(f"{store.uri}/flowers/2").number == 2


def test_publishers_at_the_same_time_get_different_versions(store: Store, tmp_path: Path) -> None:
    exports = [finished(tmp_path / str(seed), seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda export: store.publish(*export), exports))
    assert sorted(numbers) == [1, 2, 3, 4]
    for number, (_, described) in zip(numbers, exports, strict=True):
        assert store.read_manifest("flowers", number) == described


def test_only_the_files_that_are_asked_for_are_pulled(store: Store, tmp_path: Path) -> None:
    store.publish(*finished(tmp_path / "export"))
    version = resolve(f"{store.uri}/flowers")
    pulled = version.pull(version.manifest(), ["saved_model.pb"], tmp_path / "cache")
    assert (pulled / "saved_model.pb").exists()
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").rglob("labels.txt"))


def test_an_export_that_changed_after_it_was_described_is_not_published(store: Store, tmp_path: Path) -> None:
    directory, described = finished(tmp_path / "export")
    (directory / "saved_model.pb").write_bytes(b"changed")
    with pytest.raises(ModelCorrupt, match=r"saved_model\.pb"):
        store.publish(directory, described)
    assert store.versions() == {}


def test_a_tampered_file_is_refused_by_name(store: Store, tmp_path: Path) -> None:
    store.publish(*finished(tmp_path / "export"))
    version = resolve(f"{store.uri}/flowers")
    change(store, "saved_model.pb", b"tampered")
    with pytest.raises(ModelCorrupt, match=r"flowers/1/saved_model\.pb is not the file"):
        version.pull(version.manifest(), list(FILES), tmp_path / "cache")


def test_an_incomplete_version_is_refused_by_name(store: Store, tmp_path: Path) -> None:
    store.publish(*finished(tmp_path / "export"))
    version = resolve(f"{store.uri}/flowers")
    change(store, "saved_model.pb", None)
    with pytest.raises((ModelCorrupt, ModelNotFound), match=r"flowers/1/saved_model\.pb"):
        version.pull(version.manifest(), list(FILES), tmp_path / "cache")


def test_an_unknown_model_is_answered_with_the_known_ones(store: Store, tmp_path: Path) -> None:
    store.publish(*finished(tmp_path / "export"))
    with pytest.raises(ModelNotFound, match=r"no model 'trees' in .* flowers"):
        resolve(f"{store.uri}/trees")
    with pytest.raises(ModelNotFound, match="flowers/7"):
        resolve(f"{store.uri}/flowers/7").manifest()


PUBLISH = """
import sys, time
from pathlib import Path
from model.manifest import describe_files
from model.stores.uri import open_store
from tests.model.test_manifest import manifest
from tests.support.clouds import KINDS, empty_bucket
directory = Path(sys.argv[1])
done = lambda size: (print(size, flush=True), time.sleep(30))  # killed here: some bytes are through, the manifest is not
open_store(sys.argv[2]).publish(directory, manifest(files=describe_files(directory)), done)
"""


def test_a_publish_that_is_killed_leaves_no_visible_version(store: Store, tmp_path: Path) -> None:
    directory, described = finished(tmp_path / "export")
    child = subprocess.Popen(
        [sys.executable, "-c", PUBLISH, str(directory), store.uri],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdout
    assert child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert store.versions() == {}
    number = store.publish(directory, described)  # and the next one is none the worse for it
    assert store.versions() == {"flowers": [number]}
    assert store.read_manifest("flowers", number) == described


def test_a_local_version_can_be_read_by_other_users(tmp_path: Path) -> None:
    open_store(str(tmp_path / "store")).publish(*finished(tmp_path / "export"))
    assert (tmp_path / "store/flowers/1").stat().st_mode & 0o055 == 0o055


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file, not a folder")
    with pytest.raises(StoreForbidden, match="name another store"):
        open_store(str(tmp_path / "file")).publish(*finished(tmp_path / "export"))


def test_an_interrupted_pull_goes_on_where_it_stopped(aws: str, tmp_path: Path) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket="models")
    store = open_store("s3://models")
    directory, described = finished(tmp_path / "export")
    store.publish(directory, described)
    pulled = store.pull("flowers", 1, described, ["saved_model.pb"], tmp_path / "cache")
    before = (pulled / "saved_model.pb").stat().st_mtime_ns
    time.sleep(0.01)
    store.pull("flowers", 1, described, list(FILES), tmp_path / "cache")
    assert (pulled / "saved_model.pb").stat().st_mtime_ns == before


def test_of_the_versions_pulled_before_only_the_last_is_kept(aws: str, tmp_path: Path) -> None:
    boto3.client("s3").create_bucket(Bucket="models")
    store = open_store("s3://models")
    pulled = []
    for version in (1, 2, 3):
        _, described = made = finished(tmp_path / str(version), version)
        store.publish(*made)
        pulled.append(store.pull("flowers", version, described, list(FILES), tmp_path / "cache"))
        time.sleep(0.01)
    assert [directory.exists() for directory in pulled] == [False, True, True]


def test_a_download_that_breaks_off_again_and_again_is_a_store_out_of_reach(tmp_path: Path) -> None:
    class BreaksOff:
        def download_fileobj(self, bucket: str, key: str, path: str) -> None:
            raise RetriesExceededError(TimeoutError("read timed out"))

    _, described = finished(tmp_path / "export")
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        S3Store(BreaksOff(), "models", "").pull("flowers", 1, described, list(FILES), tmp_path / "cache")


def test_a_place_that_cannot_hold_the_model_is_named(aws: str, tmp_path: Path) -> None:
    boto3.client("s3").create_bucket(Bucket="models")
    store = open_store("s3://models")
    _, described = made = finished(tmp_path / "export")
    store.publish(*made)
    (tmp_path / "full").touch()
    with pytest.raises(StoreUnavailable, match=r"full.*cannot hold the model"):
        store.pull("flowers", 1, described, list(FILES), tmp_path / "full")


def test_a_bucket_that_is_not_there_and_an_endpoint_that_does_not_answer_are_told_apart(
    aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelNotFound, match="s3://nowhere/"):
        resolve("s3://nowhere/flowers")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        resolve("s3://nowhere/flowers")


def test_missing_credentials_are_said_in_a_sentence(aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreForbidden, match="aws configure"):
        resolve("s3://models/flowers")


@pytest.mark.parametrize("uri", ["", "ftp://bucket/models", "S3://bucket/models", "s3:/bucket", "az:/c", "gs://B"])
def test_what_names_no_store_is_not_taken_for_a_folder(uri: str) -> None:
    with pytest.raises(ModelNotFound, match=r"s3://bucket/prefix"):
        open_store(uri)


def test_a_manifest_that_s3_does_not_take_is_no_published_version(tmp_path: Path) -> None:
    class Conflict(S3Store):
        def _put_once(self, key: str, body: bytes) -> bool:
            return not key.endswith(MANIFEST)

    class Takes:
        def upload_fileobj(self, *arguments: object, **options: object) -> None: ...

        def get_paginator(self, _: str) -> "Takes":
            return self

        def paginate(self, **options: object) -> list[dict[str, object]]:
            return [{}]

    with pytest.raises(StoreUnavailable, match="did not take its manifest"):
        Conflict(Takes(), "models", "").publish(*finished(tmp_path / "export"))


def test_importing_the_store_imports_no_boto3() -> None:
    code = "import model.classifier, sys; assert 'boto3' not in sys.modules and 'tensorflow' not in sys.modules"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_a_version_without_its_manifest_does_not_exist(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    store.publish(*finished(tmp_path / "export"))
    (tmp_path / "store/flowers/1" / MANIFEST).unlink()
    assert store.versions() == {}
