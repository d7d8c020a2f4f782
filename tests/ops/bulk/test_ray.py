"""The same images by a Ray cluster of this machine: the same bits, whoever is killed."""

import os
import signal
import sys
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from ops.bulk.cli import main
from ops.bulk.items import list_items
from ops.bulk.journal import Journal
from ops.bulk.naming import Wish
from ops.bulk.table import row_of
from serving.schemas import ModelName
from tests.support.ray_workers import ray_workers
from tests.support.tiny import draw_colours

ray = pytest.importorskip("ray", reason="needs the package ray, of the extra of that name")

from model.image import Limits  # noqa: E402
from model.stores.uri import resolve  # noqa: E402
from ops.bulk.ray_engine import name_by_ray  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")  # Ray's own
BROKEN = b"\xff\xd8\xffno more of it"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = draw_colours(
        tmp_path / "bottleneck", per_class=20
    )  # the name that breaks pandas' import of one of that name
    (folder / "broken.jpg").write_bytes(BROKEN)
    return folder


def rows(path: Path) -> list[dict[str, object]]:
    return parquet.read_table(path).to_pylist()


def run(*arguments: str):
    done = CliRunner().invoke(main, ["run", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_results_are_those_of_the_local_engine_bit_for_bit_and_a_rerun_computes_none(photos, tiny_model, tmp_path):
    local, by_ray = tmp_path / "local.parquet", tmp_path / "ray.parquet"
    run(str(photos), tiny_model, "--out", str(local), "--top-k", "3")
    run(str(photos), tiny_model, "--out", str(by_ray), "--top-k", "3", "--engine", "ray", "--workers", "2")
    assert rows(local) == rows(by_ray)
    assert len(rows(local)) == 61
    assert local.read_bytes() == by_ray.read_bytes()
    (photos / "red").rename(photos / "renamed")
    again = run(str(photos), tiny_model, "--out", str(by_ray), "--top-k", "3", "--engine", "ray", "--workers", "1")
    assert "61 images, 60 of them named before, 1 with an error" in again, (
        "what was renamed is read, and known by content"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="workers are found in Linux's /proc")
def test_a_run_outlives_workers_that_are_killed(photos, tiny_model, tmp_path):
    version, wish = resolve(tiny_model), Wish(Limits(), top_k=1)
    journal, killed = Journal(tmp_path / "journal", "tiny"), set()
    journal.begin(list_items(str(photos)))
    for position, named in name_by_ray(version, journal.to_do(), wish, journal, 2):
        if not killed:
            killed |= set(ray_workers("Worker"))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
        journal.record(position, named)
    assert killed
    found = [row_of(name, result, ModelName("tiny", 1)) for name, result in journal.results()]
    assert {row.label for row in found if "/red/" in row.image} == {"red"}
    assert [Path(row.image).name for row in found if row.error] == ["broken.jpg"]
    journal.close()


def test_what_lies_in_s3_is_read_by_the_workers_and_the_table_goes_there(
    aws, photos, tiny_model, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)  # the journal of a table in S3 lies in the folder of the run
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="photos")
    for image in (photos / "red").iterdir():
        s3.put_object(Bucket="photos", Key=f"in/{image.name}", Body=image.read_bytes())
    run("s3://photos/in/", tiny_model, "--out", "s3://photos/out.parquet", "--engine", "ray", "--workers", "1")
    s3.download_file("photos", "out.parquet", str(tmp_path / "out.parquet"))
    assert [row["label"] for row in rows(tmp_path / "out.parquet")] == ["red"] * 20
