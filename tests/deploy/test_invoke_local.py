"""`npx serverless invoke local`, as typed: the function that the image would start, with no account and no credentials."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.deploy.conftest import EVENTS, clean_environment


@pytest.fixture
def environment(cli_installed: None, tmp_path: Path) -> dict[str, str]:
    return clean_environment(home=tmp_path)


def test_classify_answers_with_the_model_that_the_shell_names(environment: dict[str, str], tiny_model: str):
    answer = invoke_local("classify", EVENTS / "apigateway-v1-image.json", environment | {"MODEL_URI": tiny_model})

    assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])["model"] == {"name": "tiny", "version": 1}


def test_health_needs_no_model(environment: dict[str, str]):
    answer = invoke_local("classify", EVENTS / "apigateway-v1-health.json", environment)

    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (200, "ok")


def test_uploads_answers_the_test_event_that_s3_sends_when_a_bucket_is_made(environment: dict[str, str]):
    assert invoke_local("uploads", EVENTS / "s3-test-event.json", environment) == {"results": []}


def test_a_function_that_is_not_there_is_named(environment: dict[str, str]):
    done = serverless("nothing", EVENTS / "apigateway-v1-health.json", environment)

    assert done.returncode == 1
    assert 'Function "nothing" doesn\'t exist' in done.stdout


def invoke_local(function: str, event: Path, environment: dict[str, str]) -> Any:
    """What the function returned; its log lines come before it on the same stream."""
    done = serverless(function, event, environment)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout[f"\n{done.stdout}".index("\n{\n") :])


def serverless(function: str, event: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["npx", "serverless", "invoke", "local", "-f", function, "--path", event.relative_to(ROOT)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
