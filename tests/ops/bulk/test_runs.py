"""Which source an address means, and how a run that is under way is told in a line."""

from datetime import UTC, datetime, timedelta

import pytest

from ops.bulk.remote_commands import line_of
from ops.bulk.runs import Run, input_of

STARTED = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://photos", {"source": "listing", "bucket": "photos", "prefix": ""}),
        ("s3://photos/in", {"source": "listing", "bucket": "photos", "prefix": "in"}),
        ("s3://photos/in/", {"source": "listing", "bucket": "photos", "prefix": "in/"}),
        ("s3://photos/a.csv", {"source": "csv", "bucket": "photos", "list": {"bucket": "photos", "key": "a.csv"}}),
        ("s3://b-1/x/a.jsonl", {"source": "jsonl", "bucket": "b-1", "list": {"bucket": "b-1", "key": "x/a.jsonl"}}),
        (
            "s3://b-1/x/manifest.json",
            {"source": "inventory", "bucket": "b-1", "list": {"bucket": "b-1", "key": "x/manifest.json"}},
        ),
    ],
)
def test_an_address_says_what_is_read(address, expected):
    assert input_of(address) == expected


def run(status: str, total: int, named: int, failed: int, stopped: datetime | None = None) -> Run:
    return Run("arn", status, "", "", total, named, failed, STARTED, stopped)


def test_a_run_under_way_says_how_fast_it_is_when_it_ends_and_what_it_costs():
    line = line_of(run("RUNNING", 1_000_000, 240_000, 10_000), STARTED + timedelta(seconds=100))
    assert "250,000 of 1,000,000 images, 2,500 images/s, 10,000 failed" in line
    assert "ends about 2026-01-01 12:06 UTC" in line
    assert "about $0.5" in line
    assert " of $2." in line
    assert line.count("#") == 8


def test_a_run_that_has_begun_to_list_divides_by_nothing():
    assert "0 of 0 images, 0 images/s" in line_of(run("RUNNING", 0, 0, 0), STARTED)


def test_a_run_that_ended_says_no_end():
    line = line_of(run("SUCCEEDED", 100, 100, 0, STARTED + timedelta(seconds=10)), STARTED + timedelta(days=1))
    assert "100 of 100 images, 10 images/s" in line
    assert "ends" not in line
