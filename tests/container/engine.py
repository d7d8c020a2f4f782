"""A Docker engine, the images that are built by it, and what runs in them under Lambda's limits and without a network."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.support.emulator import PATH

STATE = ROOT / "build" / "docker"  # of an engine that is started here: images and layers are kept for the next time
LIMITS = [
    *("--network", "none", "--read-only", "--tmpfs", "/tmp:size=512m"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
]
REQUEST = """
import sys, time, urllib.error, urllib.request
(method, url), body, deadline = sys.argv[1:], sys.stdin.buffer.read() or None, time.monotonic() + 60
while True:
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, body, method=method))
    except urllib.error.HTTPError as error:
        answer = error
    except OSError:  # nothing listens yet
        if time.monotonic() > deadline: raise
        time.sleep(0.05)
        continue
    print(answer.status, answer.read().decode())
    break
"""


@dataclass(frozen=True)
class Engine:
    client: str
    host: str | None = None  # of an engine that was started here, without a network; None: wherever one listens

    def run(self, *arguments: str, input: bytes = b"", check: bool = True) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"DOCKER_BUILDKIT": "1"} | ({"DOCKER_HOST": self.host} if self.host else {})
        done = subprocess.run([self.client, *arguments], env=environment, input=input, capture_output=True, check=False)
        text = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
        assert not check or text.returncode == 0, f"docker {' '.join(arguments)}: {text.stdout}{text.stderr}"
        return text

    def answers(self) -> bool:
        return self.run("version", check=False).returncode == 0

    def build(self, context: Path, tag: str, *options: str, check: bool = True) -> str:
        """Build an image; return what the build said."""
        network = ["--network", "host"] if self.host else []
        done = self.run("build", *network, "--tag", tag, *options, "--progress", "plain", str(context), check=check)
        return done.stdout + done.stderr

    @contextmanager
    def container(self, image: str, *options: str, command: tuple[str, ...] = ()) -> Iterator["Container"]:
        """Run an image under LIMITS, as the user that it names."""
        id = self.run("run", "--detach", *LIMITS, *options, image, *command).stdout.strip()
        try:
            yield Container(self, id)
        finally:
            self.run("rm", "--force", id)


@dataclass(frozen=True)
class Container:
    engine: Engine
    id: str

    def python(self, *arguments: str, input: bytes = b"") -> str:
        """Run a few lines inside, as the same user."""
        return self.engine.run("exec", "--interactive", self.id, "python3", "-c", *arguments, input=input).stdout

    def request(self, method: str, path: str, body: bytes = b"", port: int = 8080) -> tuple[int, str]:
        """Send a request from inside (from outside none can), as soon as something listens."""
        status, _, text = self.python(REQUEST, method, f"http://127.0.0.1:{port}{path}", input=body).partition(" ")
        return int(status), text

    def invoke(self, event: Any) -> Any:
        return json.loads(self.request("POST", PATH, json.dumps(event).encode())[1])

    def written(self) -> list[str]:
        """What was added, changed or deleted since the start, mounts apart."""
        return self.engine.run("diff", self.id).stdout.splitlines()

    def stop(self) -> int:
        """Send SIGTERM; return the exit status."""
        self.engine.run("stop", "--time", "20", self.id)
        return int(self.state("ExitCode"))

    def state(self, name: str) -> str:
        return self.engine.run("inspect", "--format", f"{{{{.State.{name}}}}}", self.id).stdout.strip()


@contextmanager
def docker_engine() -> Iterator[Engine]:
    """The engine that answers, or one of our own. Skips the test, saying why, where there can be none."""
    clients = [path for path in ("/usr/bin/docker", shutil.which("docker")) if path and Path(path).exists()]
    if not clients:
        pytest.skip("needs a Docker engine; on Debian: apt-get install docker.io debootstrap")
    usual = Engine(clients[0])  # a client that comes with its engine speaks BuildKit; another on PATH may not
    ours = Engine(clients[0], f"unix://{STATE}/docker.sock")
    for engine in (usual, ours):
        if engine.answers():
            yield engine
            return
    if not shutil.which("dockerd") or os.geteuid() != 0:
        pytest.skip("needs a Docker engine that answers, or dockerd and root to start one")
    with _daemon(ours):
        yield ours
        ours.run("image", "prune", "--force")  # what this session's builds replaced


@contextmanager
def _daemon(engine: Engine) -> Iterator[None]:
    """dockerd that makes no network of its own, which not every machine lets it."""
    STATE.mkdir(parents=True, exist_ok=True)
    places = ["--data-root", STATE / "data", "--exec-root", STATE / "exec", "--pidfile", STATE / "docker.pid"]
    network = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--bridge=none"]
    log = STATE / "dockerd.log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(["dockerd", "--host", engine.host, *places, *network], stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 20
        while not engine.answers():
            if daemon.poll() is not None or time.monotonic() > deadline:
                pytest.skip(f"dockerd does not start here: {log.read_text()[-500:]}")
            time.sleep(0.2)
        yield
    finally:
        daemon.terminate()
        daemon.wait(30)
