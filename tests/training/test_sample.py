import tarfile
from functools import partial
from hashlib import sha256
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest

from tests.support.tiny import draw_colours
from training.dataset import scan
from training.errors import DatasetError
from training.sample import calibration_batch, download_flowers, write_sample


def test_the_sample_set_is_sound_and_the_same_every_time(tmp_path: Path) -> None:
    assert write_sample(tmp_path / "one") == write_sample(tmp_path / "two") == 600
    one, two = scan(tmp_path / "one"), scan(tmp_path / "two")
    assert one.labels == tuple("0123456789")
    assert one.problems == ()
    assert [example.digest for example in one.examples] == [example.digest for example in two.examples]


def test_the_calibration_batch_is_photographs() -> None:
    batch = calibration_batch(4)
    assert batch.shape == (4, 299, 299, 3)
    assert batch.std() > 30


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_flowers_are_downloaded_checked_and_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_colours(tmp_path / "site" / "flower_photos", 2)
    with tarfile.open(tmp_path / "site" / "photos.tgz", "w:gz") as archive:
        archive.add(tmp_path / "site" / "flower_photos", "flower_photos")
    server = HTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=tmp_path / "site"))
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("training.sample.FLOWERS", f"http://127.0.0.1:{server.server_port}/photos.tgz")
    digest = sha256((tmp_path / "site" / "photos.tgz").read_bytes()).hexdigest()
    monkeypatch.setattr("training.sample.FLOWERS_SHA256", digest)
    assert len(scan(download_flowers(tmp_path / "build")).examples) == 6
    monkeypatch.setattr("training.sample.FLOWERS_SHA256", "0" * 64)
    with pytest.raises(DatasetError, match="hash"):
        download_flowers(tmp_path / "other")
    server.shutdown()
    server.server_close()
    with pytest.raises(DatasetError, match="cannot be downloaded from here"):
        download_flowers(tmp_path / "third")
