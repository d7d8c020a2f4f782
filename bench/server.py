"""A server in a process of its own, on a free port of this machine; and a crowd of clients that asks it all at once."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict
from http.client import HTTPConnection
from socket import create_connection, socket
from tempfile import TemporaryFile

from bench.figures import percentiles
from bench.machine import ROOT
from bench.section import Found

PATIENCE = 60  # s
MOTO = ("moto.server", "-H", "127.0.0.1", "-p", "{port}")  # a local S3


@contextmanager
def serving(
    arguments: Sequence[str], environment: Mapping[str, str], enter: Callable[[], None] | None = None
) -> Iterator[int]:
    """Run `python -m ARGUMENTS`, in which {port} stands for the port that is given back once somebody listens on it."""
    port = _free_port()
    command = [sys.executable, "-m", *(argument.format(port=port) for argument in arguments)]
    inherited = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PORT": str(port), **environment}
    with TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=inherited,
            stdout=log,
            stderr=log,
            preexec_fn=enter,  # noqa: PLW1509 - there is no other thread here yet
        )
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait(PATIENCE)


def crowd(port: int, clients: int, seconds: float, body: bytes, content_type: str) -> Found:
    """Let each client ask again and again; return answers a second and milliseconds an answer. Raises where one is refused."""
    until = time.perf_counter() + seconds

    def client(_: int) -> list[float]:
        took = []
        with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            while time.perf_counter() < until:
                began = time.perf_counter()
                connection.request("POST", "/v1/classify", body, {"Content-Type": content_type})
                answer = connection.getresponse()
                text = answer.read()
                assert answer.status == 200, text
                took.append((time.perf_counter() - began) * 1000)
        return took

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        took = [one for several in pool.map(client, range(clients)) for one in several]
    return {"per_second": len(took) / (time.perf_counter() - started), "ms": asdict(percentiles(took))}


def _free_port() -> int:
    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
