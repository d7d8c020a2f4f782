"""The real CLI, run in a copy of what it reads, with no account, no credentials and nothing of the user's own settings."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT

EVENTS = ROOT / "tests/events"
READ_BY_CLI = ["Dockerfile", "serverless.yml", "package.json", "deploy", "plugins"]
IMAGE_URI = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/app@sha256:{'0' * 64}"
POOL_ARN = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbCdEf123"

# The documented ways to deploy, each packaged once a session; what does not touch the other shares a way
CHOICES: dict[str, dict[str, str]] = {
    "default": {},
    "iam": {"auth": "iam", "tagUploads": "yes"},
    "jwt": {"auth": "jwt", "userPoolArn": POOL_ARN, "publishEvents": "yes"},
    "own": {"modelBucket": "my-models", "uploadsBucket": "my-photos", "gatewayLogRole": "existing"},
    "snapshot": {"snapStart": "true", "modelFrom": "image", "engines": "litert"},
    "warm": {"provisionedConcurrency": "2", "classifyConcurrency": "20"},
    "bulk": {"bulk": "yes", "bulkBucket": "my-photos", "bulkPrefix": "all/"},
    "pinned": {"modelVersion": "7", "architecture": "arm64", "corsOrigin": "https://site.example"},
}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}

Template = dict[str, Any]


@dataclass(frozen=True)
class Cli:
    """`serverless` in a directory of its own: packaging writes into the directory that it runs in."""

    directory: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> str:
        """Run a command; return what it prints. Fails the test when the command fails."""
        done = subprocess.run(
            ["node_modules/.bin/serverless", *arguments],
            cwd=self.directory,
            env=clean_environment(self.directory) | {"IMAGE_URI": IMAGE_URI} | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"serverless {' '.join(arguments)}: {done.stdout}"
        return done.stdout

    def package(self, parameters: dict[str, str]) -> Path:
        """Package with these parameters; return the template's file."""
        self.run("package", *[f"--param={name}={value}" for name, value in parameters.items()])
        return self.directory / ".serverless/cloudformation-template-update-stack.json"


def clean_environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "NODE_NO_WARNINGS": "1",
        "npm_config_update_notifier": "false",
    }


@pytest.fixture(scope="session")
def cli_installed() -> None:
    if shutil.which("node") is None:
        pytest.skip("the serverless CLI needs Node 20 or newer, and no `node` is on the PATH")
    if not (ROOT / "node_modules/.bin/serverless").exists():
        pytest.skip("the serverless CLI is not installed: run `npm ci`")


@pytest.fixture(scope="session")
def make_cli(cli_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Cli]:
    def make(**environment: str) -> Cli:
        directory = tmp_path_factory.mktemp("service")
        for name in READ_BY_CLI:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copy(ROOT / name, directory / name)
        (directory / "node_modules").symlink_to(ROOT / "node_modules")
        return Cli(directory, environment)

    return make


@pytest.fixture(scope="session")
def packaged(make_cli: Callable[..., Cli]) -> Callable[[str], Path]:
    """The file of the template that one of the CHOICES gives."""
    return cache(lambda choice: make_cli().package({"imageFrom": "prebuilt"} | CHOICES[choice]))


@pytest.fixture(scope="session")
def template(packaged: Callable[[str], Path]) -> Callable[[str], Template]:
    return lambda choice: json.loads(packaged(choice).read_text())


@pytest.fixture
def local_aws() -> Iterator[str]:
    with run_local_aws() as address:
        yield address


@contextmanager
def run_local_aws() -> Iterator[str]:
    """The address of a local AWS whose functions run this checkout's code."""
    command = [sys.executable, Path(__file__).with_name("local_aws.py"), ROOT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.terminate()
