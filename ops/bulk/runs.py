"""Runs of the state machine that deploy/bulk.yml adds: begun, found again by what they name, and asked how far they are."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from model.stores.addresses import S3, parse_address

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_stepfunctions import SFNClient

TABLES = {".csv": "csv", ".jsonl": "jsonl", "/manifest.json": "inventory"}  # how an address ends → what reads it


@dataclass(frozen=True)
class Deployed:
    """What a stack has for bulk runs."""

    machine: str  # ARN
    bucket: str  # of the results
    prefix: str


@dataclass(frozen=True)
class Run:
    arn: str  # of the execution
    status: str  # RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED
    reason: str  # why it failed
    map_run: str  # ARN; empty before it has begun
    total: int  # images that have been listed so far
    named: int  # images of batches that succeeded
    failed: int  # images of batches that failed
    started: datetime
    stopped: datetime | None


def find_deployed(cloudformation: "CloudFormationClient", stack: str) -> Deployed:
    """Read the stack's outputs. Raises ClickException where it was deployed without bulk."""
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    if "BulkStateMachine" not in outputs:
        raise click.ClickException(f"{stack} has no state machine: npx serverless deploy --param bulk=yes")
    bucket, _, prefix = outputs["BulkResults"].removeprefix("s3://").partition("/")
    return Deployed(outputs["BulkStateMachine"], bucket, prefix)


def input_of(address: str) -> dict[str, Any]:
    """What the state machine is told to read: a table where the address ends like one, else what lies under a prefix."""
    if not address.startswith(S3):
        raise click.ClickException(f"{address}: in AWS images are named where they lie in S3: give s3://bucket/prefix")
    bucket, key = parse_address(address)
    source = next((kind for suffix, kind in TABLES.items() if f"/{key}".endswith(suffix)), "listing")
    if source == "listing":
        return {"source": source, "bucket": bucket, "prefix": f"{key}/" if key and address.endswith("/") else key}
    return {"source": source, "bucket": bucket, "list": {"bucket": bucket, "key": key}}


def start(machines: "SFNClient", deployed: Deployed, address: str, now: datetime) -> str:
    """Begin a run, unless one of the same address is at work; return its name."""
    before = find_run(machines, deployed, address)
    if before and before.status == "RUNNING":
        raise click.ClickException(f"a run of {address} is at work already; `status` shows it")
    name = f"{_mark(address)}{now:%Y%m%d-%H%M%S}"
    machines.start_execution(stateMachineArn=deployed.machine, name=name, input=json.dumps(input_of(address)))
    return name


def find_run(machines: "SFNClient", deployed: Deployed, address: str) -> Run | None:
    """The newest run of this address."""
    pages = machines.get_paginator("list_executions").paginate(stateMachineArn=deployed.machine)
    executions = (one for page in pages for one in page["executions"])  # the newest first
    found = next((one["executionArn"] for one in executions if one["name"].startswith(_mark(address))), None)
    return read_run(machines, found) if found else None


def read_run(machines: "SFNClient", arn: str) -> Run:
    execution = machines.describe_execution(executionArn=arn)
    map_runs = machines.list_map_runs(executionArn=arn)["mapRuns"]
    map_run = map_runs[0]["mapRunArn"] if map_runs else ""
    counts: Any = machines.describe_map_run(mapRunArn=map_run)["itemCounts"] if map_run else {}
    return Run(
        arn=arn,
        status=execution["status"],
        reason=": ".join(filter(None, (execution.get("error"), execution.get("cause")))),
        map_run=map_run,
        total=counts.get("total", 0),
        named=counts.get("succeeded", 0),
        failed=sum(counts.get(how, 0) for how in ("failed", "timedOut", "aborted")),
        started=execution["startDate"].astimezone(UTC),
        stopped=execution["stopDate"].astimezone(UTC) if "stopDate" in execution else None,
    )


def _mark(address: str) -> str:
    """How the names of an address's runs begin: something to read, and something that is its own."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", address.removeprefix("s3://")).strip("-")[:40]
    return f"{words}-{hashlib.sha256(address.encode()).hexdigest()[:8]}-"
