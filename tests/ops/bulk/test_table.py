"""The two forms of the table."""

import csv

from pyarrow import parquet

from model.classifier import Label
from model.decision import Decision
from ops.bulk.table import check_place, row_of, write_table
from serving.schemas import ModelName, Result


def test_a_decision_is_a_column_and_empty_where_the_model_cannot_judge(tmp_path):
    results = [
        Result(labels=[Label("red", 0.9)], decision=made) for made in (Decision.ACCEPTED, Decision.UNKNOWN, None)
    ]
    rows = [row_of(f"{number}.jpg", result, ModelName("m", 1)) for number, result in enumerate(results)]
    for name in ("t.csv", "t.parquet"):
        assert write_table(str(tmp_path / name), rows) == 3
    assert parquet.read_table(tmp_path / "t.parquet")["decision"].to_pylist() == ["accepted", "unknown", None]
    with (tmp_path / "t.csv").open(newline="") as file:
        assert [row["decision"] for row in csv.DictReader(file)] == ["accepted", "unknown", ""]


def test_an_empty_table_has_its_columns(tmp_path):
    assert write_table(str(tmp_path / "t.parquet"), []) == 0
    assert parquet.read_table(tmp_path / "t.parquet").column_names[:3] == ["image", "label", "score"]


def test_a_table_may_be_written_where_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_place("results.csv")
    (tmp_path / "photos").mkdir()
    check_place("results.csv", "photos")
