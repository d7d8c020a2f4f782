"""`python -m ops.bulk start`, `status` and `fetch`: a bulk run in AWS, from the first look to the table."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, TypeVar

import click
import msgspec

from model.errors import RecognitionError
from ops.bulk.fetched import fetch_rows
from ops.bulk.runs import Deployed, Run, find_deployed, find_run, read_run, start
from ops.bulk.table import Row, check_place, write_table
from ops.cost import total
from ops.inspection import client_of

Command = TypeVar("Command", bound=Callable[..., Any])

WIDTH = 30  # characters of the bar
LOOK = 5  # s between looks at a run that is watched
MOST_SHOWN = 20  # images that failed, on the screen; the table has all

STACK = click.argument("stack")
ADDRESS = click.argument("address", metavar="s3://BUCKET/PREFIX")


@contextmanager
def _explained() -> Iterator[None]:
    """AWS's refusals, and ours, in a sentence."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError, RecognitionError) as error:
        raise click.ClickException(str(error)) from error


def _in_a_sentence(command: Command) -> Command:
    @wraps(command)
    def explained(*args: Any, **kwargs: Any) -> None:
        with _explained():
            command(*args, **kwargs)

    return explained  # type: ignore[return-value]


@click.command("start")
@STACK
@ADDRESS
@_in_a_sentence
def start_command(stack: str, address: str) -> None:
    """Begin to name what lies under a prefix, or what a table of it names: .csv or .jsonl with the columns bucket, key, version_id
    and etag (a key is enough), or the manifest.json of an S3 Inventory.
    """
    machines = _client("stepfunctions")
    name = start(machines, find_deployed(_client("cloudformation"), stack), address, datetime.now(UTC))
    click.echo(f"started {name}\nnext    python -m ops.bulk status {stack} {address} --watch")


@click.command("status")
@STACK
@ADDRESS
@click.option("--watch", is_flag=True, help="Until the run ends.")
@_in_a_sentence
def status_command(stack: str, address: str, watch: bool) -> None:
    """Show how far the newest run is: images a second, failures, when it ends, and what it costs."""
    machines = _client("stepfunctions")
    run = _found(machines, stack, address)
    while watch and run.status == "RUNNING":
        click.echo(f"\r{line_of(run, datetime.now(UTC))}", nl=False)
        time.sleep(LOOK)
        run = read_run(machines, run.arn)
    click.echo(("\r" if watch else "") + line_of(run, datetime.now(UTC)))
    if run.reason:
        raise click.ClickException(run.reason)


@click.command("fetch")
@STACK
@ADDRESS
@click.option("--out", required=True, help="The table: a .parquet or a .csv, here or in a bucket.")
@_in_a_sentence
def fetch_command(stack: str, address: str, out: str) -> None:
    """Join the results of the newest run into one table, and tell what failed and why."""
    check_place(out)
    deployed = find_deployed(_client("cloudformation"), stack)
    run = _found(_client("stepfunctions"), stack, address)
    if run.status == "RUNNING":
        raise click.ClickException("the run is at work still: python -m ops.bulk status … --watch")
    codes, failed = Counter[str](), list[Row]()

    def noted(rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            if row.error:
                codes[row.error] += 1
                failed.extend([row] if len(failed) < MOST_SHOWN else [])
            yield row

    rows = write_table(out, noted(rows_of(run, deployed)))
    for row in failed:
        click.echo(f"{row.image}: {row.detail}", err=True)
    why = ", ".join(f"{count:,} {code}" for code, count in codes.most_common())
    click.echo(f"{rows:,} images, {codes.total():,} without a label{f' ({why})' if why else ''}: {out}")
    if run.status != "SUCCEEDED":
        raise click.ClickException(f"the run {run.status.lower()} ({run.reason}); what it did is in the table")


def rows_of(run: Run, deployed: Deployed) -> Iterator[Row]:
    """What the run left, row by row. Raises ClickException where something else lies in its place."""
    try:
        yield from fetch_rows(_client("s3"), deployed.bucket, deployed.prefix, run)
    except (msgspec.DecodeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise click.ClickException(
            f"s3://{deployed.bucket}/{deployed.prefix} holds something else than the results of this run ({error}): start it again"
        ) from error


def _client(service: Any) -> Any:
    import boto3

    return client_of(boto3, service)


def _found(machines: Any, stack: str, address: str) -> Run:
    run = find_run(machines, find_deployed(_client("cloudformation"), stack), address)
    if run is None:
        raise click.ClickException(f"no run of {address} is known (Step Functions forgets after 90 days)")
    return run


def line_of(run: Run, now: datetime) -> str:
    """A run in one line: a bar, and what a person who waits wants to know."""
    done = run.named + run.failed
    share = done / run.total if run.total else 0.0
    seconds = ((run.stopped or now) - run.started).total_seconds()
    rate = done / seconds if seconds > 0 else 0.0
    full = "#" * round(WIDTH * share)
    line = f"{run.status:9} [{full:-<{WIDTH}}] {done:,} of {run.total:,} images, {rate:,.0f} images/s, {run.failed:,} failed"
    cost = total("1,000 images by the state machine") / 1000
    money = f"about ${cost * done:,.2f}" + (f" of ${cost * run.total:,.2f}" if run.status == "RUNNING" else "")
    if run.status == "RUNNING" and rate:
        ends = now + timedelta(seconds=(run.total - done) / rate)
        return f"{line}, ends about {ends:%Y-%m-%d %H:%M} UTC, {money}"
    return f"{line}, {money}"
