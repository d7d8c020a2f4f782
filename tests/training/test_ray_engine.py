"""The same training with its images read by a Ray cluster of this machine: the same features, problems and model, whoever is killed."""

import os
import shutil
import signal
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from model.image import Limits
from model.manifest import COMPILED_MODEL
from model.stores.uri import open_store
from tests.support.ray_workers import ray_workers
from tests.support.tiny import draw_colours, tiny_backbone
from training.cli import main
from training.content import Content, Fault, Original
from training.errors import DatasetError
from training.features import Extractor
from training.job import Job
from training.pipeline import Outcome, retrain
from training.problems import Severity
from training.run import Run

ray = pytest.importorskip("ray", reason="needs the package ray, of the extra of that name")

from training.ray_engine import _refuse_unseen, read_by_ray  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")  # Ray's own


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Images, among them a broken one, an empty one, one that is misnamed, a copy and a text."""
    folder = draw_colours(tmp_path / "photos", per_class=30)
    (folder / "red/broken.jpg").write_bytes(b"\xff\xd8\xffno more of it")
    (folder / "red/empty.jpg").write_bytes(b"")
    shutil.copy(folder / "red/00.jpg", folder / "red/copy.png")
    (folder / "blue/notes.txt").write_text("not an image")
    return folder


def train(place: Path | str, folder: Path, **how: Any) -> Outcome:
    job = Job(place, "tiny", folder / "bottlenecks", **how)
    return retrain(job, tiny_backbone(), open_store(str(folder / "store")), Run())


def rows(folder: Path, table: str) -> list[tuple[object, ...]]:
    """What the cache holds, byte for byte."""
    database = sqlite3.connect(folder / "bottlenecks/features.sqlite")
    found = sorted(database.execute(f"SELECT * FROM {table}"))
    database.close()
    return found


def check_equal(one: Outcome, other: Outcome, here: Path, there: Path) -> None:
    for table in ("features", "pictures"):
        assert rows(here, table) == rows(there, table)
    assert one.dataset.problems == other.dataset.problems
    assert (one.trained.head.weights == other.trained.head.weights).all()
    assert (one.trained.head.bias == other.trained.head.bias).all()
    apart = {"created": "", "training": {}, "files": {}}
    assert replace(one.manifest, **apart) == replace(other.manifest, **apart)
    for name in one.manifest.training.keys() - {"seconds"}:
        assert one.manifest.training[name] == other.manifest.training[name], name
    assert one.manifest.files.get(COMPILED_MODEL) == other.manifest.files.get(COMPILED_MODEL)


def test_the_model_is_that_of_the_local_engine_bit_for_bit_and_a_rerun_computes_nothing(photos, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    local, by_ray = train(photos, here), train(photos, there, read_elsewhere=read_by_ray)
    check_equal(local, by_ray, here, there)
    assert {problem.path for problem in by_ray.dataset.problems_of(Severity.ERROR)} == {
        "red/broken.jpg",
        "red/empty.jpg",
    }
    assert train(photos, there, read_elsewhere=read_by_ray).features.cached == 90
    assert train(photos, there).features.cached == 90, "whichever engine comes next"


def test_of_images_in_s3_workers_read_all_and_only_those_that_are_tested_come_here(aws, photos, tmp_path):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="photos")
    for image in photos.rglob("*.*"):
        s3.put_object(Bucket="photos", Key=f"set/{image.relative_to(photos)}", Body=image.read_bytes())
    here, there = tmp_path / "here", tmp_path / "there"
    local = train("s3://photos/set", here, proof_images=10)
    by_ray = train("s3://photos/set", there, proof_images=10, read_elsewhere=read_by_ray)
    assert by_ray.dataset.layout == local.dataset.layout
    mirror = there / "bottlenecks/objects/photos/set"
    brought = {path for path in mirror.rglob("*.*") if path.suffix == ".jpg" and path.stat().st_size}
    assert brought == {example.path for example in by_ray.split.test}
    check_equal(local, by_ray, here, there)
    train("s3://photos/set", there, proof_images=10)
    assert all(path.stat().st_size for path in mirror.rglob("*.jpg") if path.name != "empty.jpg"), (
        "a local run brings all"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="workers are found in Linux's /proc")
def test_workers_that_are_killed_cost_no_image(photos, tmp_path):
    extractor = Extractor(tiny_backbone(), tmp_path / "bottlenecks")
    originals = [Original(path) for path in sorted(photos.rglob("*.jpg"))]
    killed, found = set[int](), dict[int, Content | Fault]()
    for number, content in read_by_ray(originals, extractor.compiled(), (), Limits()):
        for pid in [] if killed else ray_workers("Reader"):
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        found[number] = content
    assert killed
    faults = {originals[number].path.name for number, content in found.items() if isinstance(content, Fault)}
    assert (len(found), faults) == (len(originals), {"broken.jpg", "empty.jpg"})


def test_what_this_machine_reads_and_a_worker_does_not_is_said_with_the_remedy(photos):
    unseen = Fault(Severity.ERROR, "unreadable", "No such file or directory")
    with pytest.raises(DatasetError, match="put the images into a bucket, or on a disk that every machine"):
        _refuse_unseen(Original(photos / "red/00.jpg"), unseen, Limits())
    _refuse_unseen(Original(photos / "red/gone.jpg"), unseen, Limits())


def test_without_ray_one_sentence_names_the_extra(monkeypatch):
    for module in ("cluster.actors", "training.ray_engine"):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "ray", None)
    found = CliRunner().invoke(main, ["retrain", "photos", "--name", "x", "--engine", "ray"])
    assert found.exit_code == 1
    assert "--engine ray needs the package of the extra `ray`: pip install 'ray>=2.60'" in found.stderr
