"""A bulk run's whole life on a local AWS, by the real CLI: deploy, start, status, fetch; what runs is the template's own state machine.

tests/deploy/distributed_map.py says what of AWS this does not show.
"""

import csv
import gzip
import json
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from ops.bulk.cli import main
from tests import ROOT
from tests.deploy.conftest import CREDENTIALS, run_local_aws
from tests.deploy.local_function import FATAL
from tests.deploy.test_deployment import publish
from tests.deploy.test_policy import of_type
from tests.support.fakes import picture
from tests.support.tiny import draw_colours

STACK = "image-recognition-dev"


@pytest.fixture(scope="module")
def deployed(make_cli, tiny_model):
    """The clients of a local AWS on which the stack stands, with bulk and a model."""
    with run_local_aws() as address, pytest.MonkeyPatch.context() as patch:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": address, "AWS_DEFAULT_REGION": "us-east-1"}.items():
            patch.setenv(name, value)
        patch.setattr("boto3.DEFAULT_SESSION", None)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="photos")
        s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
        cli = make_cli(AWS_ENDPOINT_URL=address, SLS_AWS_MONITORING_FREQUENCY="500", **CREDENTIALS)
        parameters = {"imageFrom": "prebuilt", "modelName": "tiny", "bulk": "yes", "bulkBucket": "photos"}
        cli.run("deploy", *[f"--param={name}={value}" for name, value in parameters.items()])
        publish(tiny_model, outputs()["ModelStore"])
        yield s3


def bulk(*arguments: str) -> Any:
    return CliRunner().invoke(main, list(arguments))


def run_to_its_end(address: str) -> Any:
    started = bulk("start", STACK, address)
    assert started.exit_code == 0, started.output
    for _ in range(300):
        status = bulk("status", STACK, address)
        if "RUNNING" not in status.output:
            return status
        time.sleep(1)
    raise AssertionError(status.output)


def fetched(address: str, out: Path) -> tuple[Any, list[dict[str, Any]]]:
    done = bulk("fetch", STACK, address, "--out", str(out))
    if out.suffix == ".parquet":
        return done, parquet.read_table(out).to_pylist() if out.exists() else []
    with out.open(newline="", encoding="utf-8") as file:
        return done, list(csv.DictReader(file))


def put_photos(s3: Any, prefix: str, folder: Path, count: int) -> dict[str, str]:
    """Images under names that could be spoilt, and one that is broken; their versions by key."""
    images = sorted(draw_colours(folder, per_class=3).rglob("*.jpg"))
    found = [
        (f"{prefix}a b+ü%20 {n:03} {(image := images[n % 9]).parent.name}.jpg", image.read_bytes())
        for n in range(count)
    ]
    found.append((f"{prefix}broken.jpg", b"\xff\xd8\xffno"))
    s3.put_object(Bucket="photos", Key=f"{prefix}folder/", Body=b"")
    return {key: s3.put_object(Bucket="photos", Key=key, Body=body)["VersionId"] for key, body in found}


def put_lists(s3: Any, versions: dict[str, str]) -> dict[str, set[str | None]]:
    """The same objects as JSON Lines, a CSV and an inventory; the versions that each of these names, by its key."""
    lines = "\n".join(json.dumps({"key": key, "version_id": version}) for key, version in versions.items())
    rows = "\n".join(f'photos,"{key}"' for key in versions)
    inventory = "\n".join(f'"photos","{quote_plus(key)}","{version}","false"' for key, version in versions.items())
    manifest = {
        "destinationBucket": "arn:aws:s3:::photos",
        "fileSchema": "Bucket, Key, VersionId, IsDeleteMarker",
        "files": [{"key": "inventory/data/1.csv.gz"}],
    }
    for key, body in {
        "lists/all.jsonl": lines.encode(),
        "lists/all.csv": f"bucket,key\n{rows}\n".encode(),
        "inventory/data/1.csv.gz": gzip.compress(inventory.encode()),
        "inventory/2026/manifest.json": json.dumps(manifest).encode(),
    }.items():
        s3.put_object(Bucket="photos", Key=key, Body=body)
    named: set[str | None] = set(versions.values())
    return {"in/": {None}, "lists/all.jsonl": named, "lists/all.csv": {None}, "inventory/2026/manifest.json": named}


def test_every_source_leads_to_the_same_table(deployed, tmp_path):
    tables = []
    for source, versions in put_lists(deployed, put_photos(deployed, "in/", tmp_path / "photos", 4)).items():
        status = run_to_its_end(f"s3://photos/{source}")
        assert "SUCCEEDED" in status.output, status.output
        assert "5 images, " in status.output.replace("6 of 6", "5 of 5"), "a folder's marker is listed too"
        done, rows = fetched(f"s3://photos/{source}", tmp_path / f"{source.replace('/', '-')}.parquet")
        assert done.exit_code == 0, done.output
        assert "5 images, 1 without a label (1 corrupt_image)" in done.output
        assert "s3://photos/in/broken.jpg: " in done.output
        assert {row["object_version"] for row in rows} == versions
        assert all(row["label"] is None or row["image"].endswith(f" {row['label']}.jpg") for row in rows)
        tables.append([{**row, "object_version": None} for row in rows])
    assert tables == [tables[0]] * 4


def test_a_batch_is_a_hundred_and_a_second_run_over_the_same_objects_writes_nothing(deployed, tmp_path):
    put_photos(deployed, "many/", tmp_path / "photos", 100)
    bucket, _, prefix = outputs()["BulkResults"].removeprefix("s3://").partition("/")
    listed = deployed.list_object_versions(Bucket=bucket, Prefix=f"{prefix}tiny/").get("Versions", [])
    before, seen = {(entry["Key"], entry["VersionId"]) for entry in listed}, []
    for _ in range(2):
        assert "SUCCEEDED" in run_to_its_end("s3://photos/many/").output
        _, rows = fetched("s3://photos/many/", tmp_path / "results.csv")
        listed = deployed.list_object_versions(Bucket=bucket, Prefix=f"{prefix}tiny/")["Versions"]
        seen.append((rows, {(entry["Key"], entry["VersionId"]) for entry in listed}))
    assert seen[0] == seen[1]
    assert (len(seen[0][0]), len(seen[0][1] - before)) == (101, 2), "an object a batch"


def test_a_run_whose_batches_all_failed_is_not_green_and_its_images_are_rows(deployed, tmp_path):
    deployed.put_object(Bucket="photos", Key="lists/odd.csv", Body=b"bucket,name\nphotos,in/1.jpg\nphotos,in/2.jpg\n")
    status = run_to_its_end("s3://photos/lists/odd.csv")
    assert status.exit_code == 1
    assert "FAILED" in status.output
    assert "States.ExceedToleratedFailureThreshold" in status.output
    done, rows = fetched("s3://photos/lists/odd.csv", tmp_path / "results.csv")
    assert done.exit_code == 1
    assert [json.loads(row["image"])["name"] for row in rows] == ["in/1.jpg", "in/2.jpg"]
    assert {row["error"] for row in rows} == {"batch_failed"}
    assert "names no key" in rows[0]["detail"]


@pytest.mark.parametrize("fatal", [1, 2])
def test_images_that_end_the_function_are_rows_with_that_error_and_their_batch_is_named(deployed, tmp_path, fatal):
    prefix = f"fatal-{fatal}/"
    for number, image in enumerate(sorted(draw_colours(tmp_path / "photos", per_class=2).rglob("*.jpg"))):
        body = image.read_bytes() + (FATAL if number in range(2, 2 + fatal) else b"")
        deployed.put_object(Bucket="photos", Key=f"{prefix}{number} {image.parent.name}.jpg", Body=body)
    assert "SUCCEEDED" in run_to_its_end(f"s3://photos/{prefix}").output
    _, rows = fetched(f"s3://photos/{prefix}", tmp_path / "results.parquet")
    errors = [row["error"] for row in rows]
    assert errors == [None, None, *["fatal_image"] * fatal, *[None] * (4 - fatal)]
    assert all(row["label"] in row["image"] for row in rows if not row["error"])


def test_what_is_gone_is_a_row_and_what_nobody_started_is_said(deployed, tmp_path):
    deployed.put_object(Bucket="photos", Key="other/1.jpg", Body=picture("red"))
    deployed.put_object(Bucket="photos", Key="l.csv", Body=b"key\nother/1.jpg\nother/gone.jpg\n")
    assert "no run of s3://photos/l.csv is known" in bulk("status", STACK, "s3://photos/l.csv").output
    run_to_its_end("s3://photos/l.csv")
    _, rows = fetched("s3://photos/l.csv", tmp_path / "results.csv")
    assert [(row["label"], row["error"]) for row in rows] == [("red", ""), ("", "object_not_found")]


def test_a_stack_without_bulk_is_said_with_the_remedy(deployed):
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    boto3.client("cloudformation").create_stack(StackName="other", TemplateBody=json.dumps(template))
    assert "npx serverless deploy --param bulk=yes" in bulk("start", "other", "s3://photos/in/").output


def test_the_state_machine_is_sound(template, tmp_path):
    """By asl-validator; cfn-lint, which finds other faults, looks at it with the template (test_template.py)."""
    [(_, machine)] = of_type(template("bulk"), "StepFunctions::StateMachine")
    text = json.dumps(machine["Properties"]["Definition"])
    for name in machine["Properties"]["DefinitionSubstitutions"]:
        text = text.replace("${" + name + "}", f"arn:aws:lambda:us-east-1:123456789012:function:{name}")
    (tmp_path / "machine.json").write_text(text)
    command = [ROOT / "node_modules/.bin/asl-validator", "--json-path", tmp_path / "machine.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def outputs() -> dict[str, str]:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
