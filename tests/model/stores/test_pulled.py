import io
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3
import pytest

from model.errors import ModelCorrupt, StoreForbidden, StoreUnavailable
from model.manifest import describe_files
from model.stores.pulled import PART, draft, own_cache, remove_abandoned
from model.stores.s3 import S3Store
from tests import ROOT
from tests.model.test_manifest import manifest

HOLD = """
import sys, time
from pathlib import Path
from model.stores.pulled import draft
with draft(Path(sys.argv[1])) as part:
    part.write(bytes(1000))
    part.flush()
    print("written", flush=True)
    time.sleep(60)
"""


class Spoiling:
    """An S3 client whose first `times` downloads arrive with a wrong byte."""

    def __init__(self, client: Any, times: int) -> None:
        self._client, self._times = client, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def download_fileobj(self, bucket: str, key: str, file: io.BytesIO) -> None:
        self._client.download_fileobj(bucket, key, file)
        if self._times:
            self._times -= 1
            file.seek(0)
            file.write(b"?")


@pytest.fixture
def published(aws: str, tmp_path: Path):
    client = boto3.client("s3")
    client.create_bucket(Bucket="models")
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "saved_model.pb").write_bytes(b"graph")
    described = manifest(files=describe_files(tmp_path / "export"))
    S3Store(client, "models", "").publish(tmp_path / "export", described)
    return client, described


def test_a_download_that_came_spoiled_is_fetched_again(published, tmp_path: Path) -> None:
    client, described = published
    store = S3Store(Spoiling(client, times=1), "models", "")
    directory = store.pull("flowers", 1, described, ["saved_model.pb"], tmp_path / "cache")
    assert (directory / "saved_model.pb").read_bytes() == b"graph"


def test_a_file_that_is_not_the_published_one_is_refused_and_leaves_nothing(published, tmp_path: Path) -> None:
    client, described = published
    with pytest.raises(ModelCorrupt, match="publish the model again"):
        S3Store(Spoiling(client, times=9), "models", "").pull(
            "flowers", 1, described, ["saved_model.pb"], tmp_path / "cache"
        )
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_pull_that_was_killed_leaves_nothing_behind_after_the_next(published, tmp_path: Path) -> None:
    client, described = published
    target = tmp_path / "cache" / "models" / "flowers" / "1" / "saved_model.pb"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(target)], stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout
        assert child.stdout.readline()
        remove_abandoned(target.parent)
        assert list(target.parent.glob(f"{PART}*")), "a draft that is still being written stays"
        child.send_signal(signal.SIGKILL)
    S3Store(client, "models", "").pull("flowers", 1, described, ["saved_model.pb"], tmp_path / "cache")
    assert [path.name for path in target.parent.iterdir()] == ["saved_model.pb"]


def test_the_cache_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = own_cache()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert own_cache() == folder
    folder.chmod(0o777)
    with pytest.raises(StoreForbidden, match="MODEL_CACHE"):
        own_cache()
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreForbidden, match="MODEL_CACHE"):
        own_cache()


def test_a_draft_follows_no_link_that_lies_in_its_way(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "model.tflite").symlink_to(tmp_path / "precious")
    with draft(tmp_path / "model.tflite") as part:
        part.write(b"model")
        part.flush()
        os.replace(part.name, tmp_path / "model.tflite")  # noqa: PTH105 - as the store does it
    assert (tmp_path / "precious").read_text() == "precious"
    assert (tmp_path / "model.tflite").read_bytes() == b"model"


def test_making_room_passes_by_what_another_process_removes(published, tmp_path: Path) -> None:
    client, described = published
    folder = tmp_path / "cache" / "models" / "flowers"
    folder.mkdir(parents=True)
    (folder / "gone").symlink_to(tmp_path / "nowhere")
    (folder / "gone too").symlink_to(tmp_path / "nowhere")
    S3Store(client, "models", "").pull("flowers", 1, described, ["saved_model.pb"], tmp_path / "cache")


class FullDisk(Spoiling):
    def download_fileobj(self, bucket: str, key: str, file: io.BytesIO) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("cache", [None, "cache"])
def test_a_full_disk_is_said_with_the_folder_that_it_is_in(published, tmp_path: Path, monkeypatch, cache) -> None:
    client, described = published
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store, folder = S3Store(FullDisk(client, 0), "models", ""), tmp_path / cache if cache else None
    with pytest.raises(StoreUnavailable, match=r"(cache|the temporary directory) cannot hold .*No space.*MODEL_CACHE"):
        store.pull("flowers", 1, described, ["saved_model.pb"], folder)
