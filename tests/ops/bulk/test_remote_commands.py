"""What the commands of a bulk run in AWS say where something is not as it should be. The whole life of a run: tests/deploy/test_bulk.py."""

from datetime import UTC, datetime

import boto3
import click
import pytest
from click.testing import CliRunner

from ops.bulk.cli import main
from ops.bulk.remote_commands import rows_of
from ops.bulk.runs import Deployed, Run

ENDED = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUN = Run("arn", "SUCCEEDED", "", "arn:map", 1, 1, 0, ENDED, ENDED)


def bulk(*arguments, **environment):
    return CliRunner().invoke(main, list(arguments), env=environment)


@pytest.mark.parametrize(
    "command", [("start",), ("status",), ("fetch", "--out", "/tmp/a.csv")], ids=lambda command: command[0]
)
@pytest.mark.parametrize("address", ["localhost:9000", "http://127.0.0.1:99999"])
def test_an_address_of_aws_that_is_none_is_said_with_its_remedy(aws, command, address):
    done = bulk(*command, "image-recognition-dev", "s3://photos", AWS_ENDPOINT_URL=address)
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert "ValueError: " in done.output
    assert "look at AWS_ENDPOINT_URL" in done.output


def put(**objects):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="left-by-runs")
    for name, body in objects.items():
        s3.put_object(Bucket="left-by-runs", Key=f"bulk/{name}", Body=body)


MANIFEST = b'{"ResultFiles": {"SUCCEEDED": [{"Key": "bulk/outputs"}], "FAILED": [], "PENDING": []}}'
BATCH = b'{"bucket": "left-by-runs", "key": "bulk/results", "images": 1, "failed": 0}'


@pytest.mark.parametrize(
    "objects",
    [
        {"runs/map/manifest.json": b"<html>"},
        {"runs/map/manifest.json": b"\xff"},
        {"runs/map/manifest.json": MANIFEST, "outputs": b"<html>"},
        {"runs/map/manifest.json": MANIFEST, "outputs": BATCH, "results": b"<html>"},
        {"runs/map/manifest.json": MANIFEST, "outputs": BATCH, "results": b"{}"},
    ],
    ids=["manifest", "manifest of bytes", "outputs", "results", "other results"],
)
def test_what_lies_in_the_place_of_results_is_said_with_where_and_what_to_do(aws, objects):
    put(**objects)
    with pytest.raises(click.ClickException, match=r"s3://left-by-runs/bulk/ holds something else .*: start it again"):
        list(rows_of(RUN, Deployed("arn", "left-by-runs", "bulk/")))
