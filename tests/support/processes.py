"""Processes that listen: on free ports of this machine, waited for, and ended with the test."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, socket

from tests import ROOT

ENDING = 60  # s that a process may take to end when it is asked to


@contextmanager
def listening(
    command: Sequence[str], port: int, environment: Mapping[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run it in the repository's root until the end; `environment` is beside that of the tests, `log` takes what it prints."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | dict(environment), stdout=output, stderr=output)
        try:
            wait_for(port)
            yield process
        finally:
            process.terminate()
            process.wait(ENDING)


def free_ports(count: int) -> list[int]:
    sockets = [socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for(port: int, seconds: float = 30) -> None:
    """Return when something listens on the port; raises OSError when nothing does for that long."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
