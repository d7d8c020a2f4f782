"""The whole life of a deployment on a local AWS, by the real CLI: deploy, publish, info, invoke, upload, result, logs, remove."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from model.stores.uri import open_store, resolve
from tests.deploy.conftest import CREDENTIALS, EVENTS, Cli
from tests.support.tiny import draw_colours

KEY = "uploads/a red one + ü 100%.jpg"  # what URL encoding could spoil


@pytest.fixture
def cli(make_cli: Callable[..., Cli], local_aws: str) -> Cli:
    return make_cli(AWS_ENDPOINT_URL=local_aws, SLS_AWS_MONITORING_FREQUENCY="500", **CREDENTIALS)  # ms between looks


@pytest.fixture
def s3(local_aws: str, monkeypatch: pytest.MonkeyPatch) -> BaseClient:
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": local_aws, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)  # for the model's store too
    return boto3.client("s3")


def test_a_deployment_lives_from_deploy_to_remove(cli: Cli, s3: Any, tiny_model: str, tmp_path: Path):
    cli.run("deploy", "--param=imageFrom=prebuilt", "--param=modelName=tiny")
    outputs = outputs_of(cli.run("info", "--verbose"))
    published = publish(tiny_model, outputs["ModelStore"])

    answer = json.loads(cli.run("invoke", "-f", "classify", "--path", str(EVENTS / "apigateway-v1-image.json")))
    assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])["model"] == {"name": "tiny", "version": published}

    image = next((draw_colours(tmp_path, per_class=1) / "red").iterdir()).read_bytes()
    uploaded = s3.put_object(Bucket=outputs["UploadsBucket"], Key=KEY, Body=image)
    [result] = results(s3, outputs["UploadsBucket"])
    assert result == f"results/{KEY}@{uploaded['VersionId']}.json"
    body = json.load(s3.get_object(Bucket=outputs["UploadsBucket"], Key=result)["Body"])
    assert body["labels"][0]["name"] == "red"

    assert uploaded["VersionId"] in cli.run("logs", "-f", "uploads")

    cli.run("remove")
    kept = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    assert kept == {outputs["UploadsBucket"], outputs["ModelStore"].split("/")[2]}
    assert results(s3, outputs["UploadsBucket"]) == [result]


def test_a_rollback_brings_back_what_an_earlier_deploy_set(cli: Cli, s3: Any):
    for version in ("6", "7"):
        cli.run("deploy", "--param=imageFrom=prebuilt", f"--param=modelVersion={version}")
    assert served_version() == "7"
    earlier, _ = re.findall(r"Timestamp: (\d+)", cli.run("deploy", "list"))
    cli.run("rollback", "--timestamp", earlier)
    assert served_version() == "6"


def served_version() -> str:
    found = boto3.client("lambda").get_function_configuration(FunctionName="image-recognition-dev-classify")
    return found["Environment"]["Variables"]["MODEL_URI"].rpartition("/")[2]


def outputs_of(info: str) -> dict[str, str]:
    """The stack's outputs, as `serverless info --verbose` prints them: one `  NAME: VALUE` a line."""
    lines = info.partition("Stack Outputs:\n")[2].splitlines()
    return dict(line.strip().split(": ", 1) for line in lines if ": " in line)


def publish(model: str, store: str) -> int:
    place = resolve(model)
    manifest = place.manifest()
    return open_store(store).publish(Path(model) / str(place.number), manifest)


def results(s3: Any, bucket: str) -> list[str]:
    """The keys of the results, once there are any: the queue is read in its own time."""
    for _ in range(100):
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="results/").get("Contents", [])
        if listed:
            break
        time.sleep(0.1)
    return [entry["Key"] for entry in listed]
