"""The doctor on the real template of each documented choice, and on a stack that the real CLI deployed to a local AWS."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from model.stores.uri import open_store, resolve
from ops.checks import BINARY_TYPES
from ops.doctor import main
from tests.deploy.conftest import CHOICES, CREDENTIALS, Cli

STACK = "image-recognition-dev"


def doctor(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environment)


@pytest.mark.parametrize("choice", CHOICES)
def test_the_template_of_every_documented_choice_is_sound(
    packaged: Callable[[str], Path], tiny_model: str, choice: str
):
    done = doctor("--template", str(packaged(choice)), MODEL_URI=tiny_model)
    assert done.exit_code == 0, done.output
    assert "warning" not in done.output


def test_a_template_that_would_spoil_images_is_an_error(packaged: Callable[[str], Path], tmp_path: Path):
    template = json.loads(packaged("default").read_text())
    template["Resources"]["ApiGatewayRestApi"]["Properties"]["BinaryMediaTypes"].remove("image/png")
    template["Resources"]["UploadsLambdaFunction"]["Properties"]["Timeout"] = 300
    spoilt = tmp_path / "template.json"
    spoilt.write_text(json.dumps(template))
    done = doctor("--template", str(spoilt))
    assert done.exit_code == 1
    assert "error    binary media types" in done.output
    assert "error    queue: a message is seen again after 360 s" in done.output


@pytest.fixture
def stack(make_cli: Callable[..., Cli], local_aws: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The outputs of a deployed stack that serves the model tiny."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": local_aws, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    cli = make_cli(AWS_ENDPOINT_URL=local_aws, SLS_AWS_MONITORING_FREQUENCY="500", **CREDENTIALS)
    cli.run("deploy", "--param=imageFrom=prebuilt", "--param=modelName=tiny")
    add_binary_types()
    described = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def add_binary_types() -> None:
    """Those of the template: moto's CloudFormation drops them."""
    gateway = boto3.client("apigateway")
    (api,) = gateway.get_rest_apis()["items"]
    changes = [{"op": "add", "path": "/binaryMediaTypes", "value": type} for type in BINARY_TYPES]
    gateway.update_rest_api(restApiId=api["id"], patchOperations=changes)


def publish(model: str, store: str) -> None:
    version = resolve(model)
    open_store(store).publish(Path(model) / str(version.number), version.manifest())


def test_a_deployment_is_examined_from_its_queue_to_its_labels(stack: dict[str, str], tiny_model: str):
    missing = doctor("--stack", STACK)
    assert missing.exit_code == 1
    assert "error    model: no model 'tiny'" in missing.output

    publish(tiny_model, stack["ModelStore"])
    sound = doctor("--stack", STACK)
    assert sound.exit_code == 0, sound.output
    assert "ok       round trip: a golden image is named" in sound.output
    assert "warning" not in sound.output

    spoil(stack)
    spoilt = doctor("--stack", STACK)
    assert spoilt.exit_code == 1
    for finding in (
        "error    prefixes: nothing tells the queue",
        "error    queue: a message is seen again after 30 s",
        "warning  queue: 1 uploads failed to the last",
        "warning  uploads bucket",
    ):
        assert finding in spoilt.output, spoilt.output


def spoil(stack: dict[str, str]) -> None:
    sqs, s3 = boto3.client("sqs"), boto3.client("s3")
    sqs.set_queue_attributes(QueueUrl=stack["UploadQueueUrl"], Attributes={"VisibilityTimeout": "30"})
    sqs.send_message(QueueUrl=stack["FailedUploadsUrl"], MessageBody="{}")
    nothing: dict[str, Any] = {}
    s3.put_bucket_notification_configuration(Bucket=stack["UploadsBucket"], NotificationConfiguration=nothing)
    s3.put_bucket_versioning(Bucket=stack["UploadsBucket"], VersioningConfiguration={"Status": "Suspended"})
