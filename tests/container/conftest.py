"""The images, built once a session on AWS's base image, or on a stand-in where that cannot be pulled."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests import ROOT
from tests.container.engine import Engine, docker_engine
from tests.support.emulator import emulator

BASE = "public.ecr.aws/lambda/python:3.12"
SCRIPT = Path(__file__).with_name("lambda-base.sh")
STAND_IN = f"lambda-python-stand-in:{sha256(SCRIPT.read_bytes()).hexdigest()[:12]}"
NOT_COPIED = (
    ".git",
    ".venv",
    "*_cache",
    ".hypothesis",
    ".serverless",
    "__pycache__",
    "build",
    "artifacts",
    "node_modules",
)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with docker_engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def base(engine: Engine) -> str:
    """The image to build on."""
    for image in (BASE, STAND_IN):
        if engine.run("image", "inspect", image, check=False).returncode == 0:
            return image
    if engine.run("pull", "--quiet", BASE, check=False).returncode == 0:
        return BASE
    if not shutil.which("debootstrap") or os.geteuid() != 0:
        pytest.skip(f"needs {BASE}, or debootstrap and root to make a stand-in for it")
    environment = os.environ | ({"DOCKER_HOST": engine.host} if engine.host else {})
    arguments = [SCRIPT, engine.client, STAND_IN, python_prefix(), emulator()]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return STAND_IN


def python_prefix() -> Path:
    """A CPython that has a directory of its own: 3.12, Lambda's, where pyenv has one, else the one that runs this."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    prefix = max(pyenv.glob("versions/3.12.*"), default=Path(sys.base_prefix))
    if prefix == Path("/usr"):
        pytest.skip("needs a CPython with a directory of its own for the base image, such as pyenv's 3.12")
    return prefix


@pytest.fixture(scope="session")
def context(tiny_model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this directory with a model in it, and what comes to lie in a directory over time."""
    copy = tmp_path_factory.mktemp("context") / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    shutil.copytree(tiny_model, copy / "artifacts" / "tiny")
    for stray in (".env", "photos/holiday.jpg", "serving/.env", "model/notes.txt", "model/__pycache__/old.pyc"):
        (copy / stray).parent.mkdir(exist_ok=True)
        (copy / stray).write_text("stray")
    return copy


@pytest.fixture(scope="session")
def build(engine: Engine, base: str, context: Path) -> Callable[..., str]:
    """Build an image with these options once; return its tag."""
    built: dict[tuple[str, ...], str] = {}

    def build(*options: str) -> str:
        if options not in built:
            built[options] = f"recognition-test-{len(built)}"
            engine.build(context, built[options], "--build-arg", f"BASE_IMAGE={base}", *options)
        return built[options]

    return build
