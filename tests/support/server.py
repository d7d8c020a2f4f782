"""The app under gunicorn, as a container runs it, on a free port of this machine."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.support.processes import free_ports, listening

COMMAND = [sys.executable, "-m", "gunicorn", "--config", "python:serving.gunicorn_conf", "handler:app"]


@dataclass(frozen=True)
class Server:
    port: int
    process: "subprocess.Popen[bytes]"

    @contextmanager
    def connect(self) -> Iterator[HTTPConnection]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            yield connection

    def memory(self) -> dict[int, int]:
        """Bytes held by each process that answers, by its pid."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        pages = {int(pid): int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in children}
        return {pid: count * os.sysconf("SC_PAGESIZE") for pid, count in pages.items()}

    def end(self) -> None:
        """Ask it to end, as platforms do."""
        self.process.send_signal(signal.SIGTERM)


@contextmanager
def run_server(model_uri: str, processes: int, log: Path, **more: str) -> Iterator[Server]:
    """`more` is of its environment."""
    (port,) = free_ports(1)
    environment = {"MODEL_URI": model_uri, "PORT": str(port), "WEB_CONCURRENCY": str(processes), **more}
    with listening(COMMAND, port, environment, log) as process:
        yield Server(port, process)


def get(connection: HTTPConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def classify(connection: HTTPConnection, body: bytes, content_type: str) -> tuple[int, bytes]:
    connection.request("POST", "/v1/classify", body, {"Content-Type": content_type})
    answer = connection.getresponse()
    return answer.status, answer.read()
