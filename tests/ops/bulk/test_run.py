"""`python -m ops.bulk run` on this machine, with a real model."""

import csv
import json
import os
import sqlite3
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyarrow import parquet

from model.classifier import load_classifier
from model.image import Limits, decode
from model.stores.addresses import address_of
from model.stores.objects import open_bucket
from model.stores.s3 import open_client
from model.stores.uri import resolve
from ops.bulk.cli import main
from ops.bulk.local_engine import name_here
from ops.bulk.naming import Wish
from ops.bulk.run_command import Done
from ops.bulk.run_command import run as bulk_run
from tests.support.clouds import KINDS, empty_bucket
from tests.support.fakes import picture
from tests.support.tiny import draw_colours

WISH = Wish(Limits(), top_k=1)
BROKEN = b"\xff\xd8\xffno more of it"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = draw_colours(tmp_path / "photos", per_class=3)
    (folder / "red" / "broken.jpg").write_bytes(BROKEN)
    (folder / "read me.txt").write_text("no image")
    (folder / ".hidden.jpg").write_bytes(picture())
    return folder


def run(source, model: str, out, *options: str):
    return CliRunner().invoke(main, ["run", str(source), model, "--out", str(out), *options])


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_file_of_a_folder_is_a_row_and_what_is_no_image_says_why(photos, tiny_model, tmp_path):
    done = run(photos, tiny_model, tmp_path / "results.csv")
    assert done.exit_code == 0, done.output
    rows = {Path(row["image"]).relative_to(photos).as_posix(): row for row in csv_rows(tmp_path / "results.csv")}
    assert list(rows) == sorted(rows, key=lambda name: ("/" in name, name))
    assert len(rows) == 11
    assert {name: row["error"] for name, row in rows.items() if row["error"]} == {
        "read me.txt": "unsupported_image",
        "red/broken.jpg": "corrupt_image",
    }
    assert {(name.split("/")[0], row["label"]) for name, row in rows.items() if row["label"]} == {
        (colour, colour) for colour in ("blue", "green", "red")
    }
    assert "11 images, 0 of them named before, 2 with an error" in done.output


def test_a_row_says_what_the_model_says_of_the_image(photos, tiny_model, tmp_path):
    run(photos, tiny_model, tmp_path / "results.parquet", "--top-k", "2")
    classifier = load_classifier(tiny_model)
    for row in parquet.read_table(tmp_path / "results.parquet").to_pylist():
        if row["error"]:
            assert row["labels"] == []
            continue
        image = decode(Path(row["image"]).read_bytes(), Limits())
        expected = classifier.classify(image.tensor[None], top_k=2)[0]
        assert row["labels"] == [{"name": label.name, "score": label.score} for label in expected]
        assert (row["label"], row["score"]) == (expected[0].name, expected[0].score)
        assert row["decision"] == classifier.decisions(classifier.engine.run(image.tensor[None]))[0]
        assert (row["width"], row["height"], row["format"]) == (64, 48, "JPEG")
        assert (row["model"], row["version"]) == ("tiny", 1)


def test_both_tables_hold_the_same(photos, tiny_model, tmp_path):
    run(photos, tiny_model, tmp_path / "one.parquet")
    run(photos, tiny_model, tmp_path / "two.csv")
    table = parquet.read_table(tmp_path / "one.parquet").to_pylist()
    rows = csv_rows(tmp_path / "two.csv")
    assert [row["image"] for row in table] == [row["image"] for row in rows]
    assert [row["labels"] for row in table] == [json.loads(row["labels"]) for row in rows]
    assert [row["detail"] or "" for row in table] == [row["detail"] for row in rows]


class Watched:
    """The engine of this machine, which counts what it computes, and ends when it is told."""

    def __init__(self, ends_after: int = 10**9) -> None:
        self.computed, self._left = 0, ends_after

    def __call__(self, *args):
        for position, named in name_here(*args):
            if not self._left:
                raise KeyboardInterrupt
            self._left -= 1
            self.computed += named.result is not None
            yield position, named


def test_a_rerun_names_only_what_is_new_whatever_was_renamed(photos, tiny_model, tmp_path):
    out, version = tmp_path / "results.csv", resolve(tiny_model)
    assert bulk_run(str(photos), version, str(out), WISH, Watched()) == Done(11, 0, 2)
    (photos / "red").rename(photos / "renamed")
    (photos / "new.jpg").write_bytes(picture("green"))
    again = Watched()
    bulk_run(str(photos), version, str(out), WISH, again)
    assert again.computed == 3, "the new one, and the two that failed, which are tried again"
    rows = csv_rows(out)
    assert len(rows) == 12
    assert {Path(row["image"]).name: row["label"] for row in rows}["new.jpg"] == "green"
    assert sum("/renamed/" in row["image"] and row["label"] == "red" for row in rows) == 3


def test_a_run_that_is_ended_leaves_no_table_and_the_next_one_goes_on(photos, tiny_model, tmp_path):
    out, version = tmp_path / "results.csv", resolve(tiny_model)
    with pytest.raises(KeyboardInterrupt):
        bulk_run(str(photos), version, str(out), WISH, Watched(ends_after=7))
    assert not out.exists()
    assert not list(tmp_path.glob(".part-*"))
    rest = Watched()
    bulk_run(str(photos), version, str(out), WISH, rest)
    assert rest.computed <= 11 - 7 + 1, "what had failed is tried again"
    assert len(csv_rows(out)) == 11


def test_another_question_is_asked_anew(photos, tiny_model, tmp_path):
    run(photos, tiny_model, tmp_path / "results.csv")
    assert "0 of them named before" in run(photos, tiny_model, tmp_path / "results.csv", "--top-k", "2").output


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_in_a_bucket_is_named_without_being_read_twice(request, photos, tiny_model, tmp_path, kind):
    bucket = empty_bucket(request, kind)
    objects, place = open_client(bucket), address_of(bucket, "")
    for path in photos.rglob("*.jpg"):
        key = f"in/ü +%20/{path.parent.name}/{path.name}"
        objects.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    objects.put_object(Bucket=bucket, Key="in/folder/" if kind == "s3" else "in/folder", Body=b"")
    objects.put_object(Bucket=bucket, Key="inside/other.jpg", Body=b"")
    done = run(f"{place}in/", tiny_model, f"{place}out/results.csv", "--workers", "2")
    try:
        assert done.exit_code == 0, done.output
        body = open_bucket(bucket).read("out/results.csv", 100_000).decode()
        rows = list(csv.DictReader(body.splitlines()))
        assert len(rows) == 11
        assert {row["label"] for row in rows if "/red/" in row["image"]} == {"red", ""}
        again = run(f"{place}in/", tiny_model, f"{place}out/results.csv")
        assert "11 images, 10 of them named before, 1 with an error" in again.output
    finally:
        Path("results.csv.journal").unlink(missing_ok=True)


@pytest.mark.parametrize("header", ["", "id,image\n", "\ufeffpath\n"])
def test_a_table_names_files_by_paths_from_its_own_folder(photos, tiny_model, tmp_path, header):
    lead = "7," if "id" in header else ""
    table = photos / "list.csv"
    table.write_text(f"{header}{lead}red/00.jpg\n\n{lead}blue/01.jpg\n{lead}gone.jpg\n", encoding="utf-8")
    assert run(table, tiny_model, tmp_path / "results.csv").exit_code == 0
    rows = csv_rows(tmp_path / "results.csv")
    assert [(Path(row["image"]).name, row["label"], row["error"]) for row in rows] == [
        ("00.jpg", "red", ""),
        ("01.jpg", "blue", ""),
        ("gone.jpg", "", "unreadable"),
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a name")
def test_a_name_that_is_no_utf8_is_a_row_like_any_other(tiny_model, tmp_path):
    (tmp_path / "photos").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "photos") + b"/\xff.jpg")).write_bytes(picture("blue"))
    for out in ("results.csv", "results.parquet"):
        assert run(tmp_path / "photos", tiny_model, tmp_path / out).exit_code == 0
    [row] = csv_rows(tmp_path / "results.csv")
    assert (row["image"].endswith(r"\udcff.jpg"), row["label"]) == (True, "blue")


def test_a_folder_called_bottleneck_is_a_folder_like_any_other(tiny_model, tmp_path):
    draw_colours(tmp_path / "bottleneck", per_class=1)
    done = run(tmp_path / "bottleneck", tiny_model, tmp_path / "bottleneck.parquet")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("source", "out", "said"),
    [
        ("photos", "results.txt", "name a table that ends in .csv or .parquet"),
        ("nowhere", "results.csv", "is no folder, no table.csv, and no bucket"),
        ("photos", "photos/results.csv", "lies among the images"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(photos, tiny_model, tmp_path, monkeypatch, source, out, said):
    monkeypatch.chdir(tmp_path)
    done = run(source, tiny_model, out)
    assert done.exit_code != 0
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_model_that_is_not_there_is_said_in_a_sentence(photos, tmp_path):
    done = run(photos, str(tmp_path / "store" / "none"), tmp_path / "results.csv")
    assert (done.exit_code, "Error: no model 'none'" in done.output) == (1, True)


def test_two_runs_do_not_write_one_table(photos, tiny_model, tmp_path):
    other = sqlite3.connect(tmp_path / "results.csv.journal", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("CREATE TABLE t (x)")
    done = run(photos, tiny_model, tmp_path / "results.csv")
    other.close()
    assert "another run is writing it" in done.output
