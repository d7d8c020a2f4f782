"""A candidate in a process of its own: started, fed and timed from here. What it prints goes to a log."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from bench.candidates import Candidate
from bench.machine import ROOT

WORKER = Path(__file__).with_name("worker.py")


class Died(Exception):
    """The process ended before it answered: for want of memory, or by an error of its own."""


@dataclass(frozen=True)
class First:
    """The first answer; seconds from the start of the process."""

    ready: float  # until the function is there: for the baselines, with its model
    total: float  # until it has answered
    body: str
    peak_mb: float


@dataclass(frozen=True)
class Answers:
    """Later answers: milliseconds of each from event to response, and of its engine, 0 where the candidate does not say."""

    ms: list[float]
    engine_ms: list[float]
    peak_mb: float  # of the process, since it started


class Process:
    """A running candidate that has answered its first event."""

    def __init__(self, popen: "subprocess.Popen[str]", log: IO[bytes]) -> None:
        self._popen, self._log = popen, log
        self.first = First(**self._read())

    def answer(self, event: Path, count: int) -> Answers:
        assert self._popen.stdin
        try:
            self._popen.stdin.write(json.dumps({"event": str(event), "count": count}) + "\n")
            self._popen.stdin.flush()
        except BrokenPipeError:
            pass  # reading says why
        return Answers(**self._read())

    def _read(self) -> dict[str, Any]:
        assert self._popen.stdout
        line = self._popen.stdout.readline()
        if not line:
            status = self._popen.wait()
            log = os.pread(self._log.fileno(), 2**20, 0).decode(errors="replace")
            raise Died(f"{self._popen.args!r} ended with status {status}: {log[-2000:].strip()}")
        reply: dict[str, Any] = json.loads(line)
        return reply


@contextmanager
def run(
    candidate: Candidate,
    event: Path,
    environment: Mapping[str, str] | None = None,
    enter: Callable[[], None] | None = None,  # called in the new process before its program runs
) -> Iterator[Process]:
    """Start a process, which ends with the context. Raises Died."""
    inherited = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # images are compiled to bytecode
    inherited |= candidate.environment | dict(environment or {})
    with TemporaryFile() as log:
        popen = subprocess.Popen(
            [sys.executable, "-P", str(WORKER), candidate.module, candidate.function, str(event)],
            env=inherited | {"BENCH_STARTED": str(time.monotonic())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            preexec_fn=enter,  # noqa: PLW1509 - it is given only while there is no other thread here
            text=True,
        )
        try:
            yield Process(popen, log)
        finally:
            popen.kill()
            popen.communicate()
