"""What `serverless package` asks of Docker and of the registry when it builds the image itself; a script stands in for Docker."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import CREDENTIALS, Cli

DOCKER = """#!/bin/sh
echo "$@" >> "$DOCKER_CALLS"
[ "$1" != push ] || echo "latest: digest: sha256:$(printf '0%.0s' $(seq 64)) size: 1234"
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    return tmp_path / "calls"


def test_the_image_is_built_for_lambda_pushed_and_deployed_by_its_digest(
    make_cli: Callable[..., Cli], local_aws: str, calls: Path
):
    path = f"{calls.parent}:{os.environ['PATH']}"
    cli = make_cli(AWS_ENDPOINT_URL=local_aws, DOCKER_CALLS=str(calls), PATH=path, **CREDENTIALS)

    template = cli.package({"imageFrom": "build", "engines": "litert", "modelFrom": "image", "modelName": "sample"})

    build, tag, push = calls.read_text().splitlines()[-3:]
    for word in ["build", "--platform=linux/amd64", "--provenance=false", "ENGINES=litert", "MODEL=sample/"]:
        assert word in build
    repository = push.removeprefix("push ").partition(":")[0]
    assert (tag.split()[0], repository) == ("tag", tag.split()[2].partition(":")[0])
    images = re.findall(r'"ImageUri": "([^"]+)"', json.dumps(json.loads(template.read_text())))
    assert images == [f"{repository}@sha256:{'0' * 64}"] * 2
