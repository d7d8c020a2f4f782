"""A contender in a process of its own: started, fed and timed from here. What it prints goes to a log."""

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

from bench.contenders import Contender
from bench.machine import ROOT

SUBJECT = Path(__file__).with_name("subject.py")


class Died(Exception):
    """The process ended before it answered: for want of memory, or by an error of its own."""


@dataclass(frozen=True)
class Start:
    """From the start of the process to its first answer, in seconds."""

    interpreter: float
    imports: float
    load: float  # of the model, its golden images included where it has any
    first: float  # decoding and scoring of the first image, and the answer
    total: float
    label: str  # that the answer names first


@dataclass(frozen=True)
class Answer:
    """Milliseconds from event to response, and of which; nothing where the contender does not say."""

    total: float
    decode: float
    resize: float
    infer: float


class Process:
    """A running contender that has answered its first event."""

    def __init__(self, popen: "subprocess.Popen[str]", contender: Contender, log: IO[bytes]) -> None:
        self._popen, self._contender, self._log = popen, contender, log
        self.start = self._started(self._read())

    def answer(self, event: Path, count: int) -> list[Answer]:
        return [_answer(took) for took in self._ask({"event": str(event), "count": count})]

    def peak_mb(self) -> float:
        """The most memory that the process has held."""
        return float(self._ask(None))

    def _started(self, phases: dict[str, Any]) -> Start:
        label = json.loads(phases["body"])["labels"][0]["name"]
        imports, load, first = phases["packages"], phases["module"], phases["first"]
        if self._contender.loads_late:
            imports, load = imports + load, self._load_logged()
            first -= load
        return Start(phases["interpreter"], imports, load, first, phases["total"], label)

    def _load_logged(self) -> float:
        entries = [json.loads(line) for line in self._logged().splitlines() if line.startswith("{")]
        return next(float(entry["load_ms"]) for entry in entries if "load_ms" in entry) / 1000

    def _ask(self, message: object) -> Any:
        assert self._popen.stdin
        try:
            self._popen.stdin.write(json.dumps(message) + "\n")
            self._popen.stdin.flush()
        except BrokenPipeError:
            pass  # reading says why
        return self._read()

    def _read(self) -> Any:
        assert self._popen.stdout
        line = self._popen.stdout.readline()
        if not line:
            status = self._popen.wait()
            raise Died(f"{self._contender.module} ended with status {status}: {self._logged()[-500:].strip()}")
        return json.loads(line)

    def _logged(self) -> str:
        return os.pread(self._log.fileno(), 2**20, 0).decode(errors="replace")


@contextmanager
def run(
    contender: Contender,
    event: Path,
    environment: Mapping[str, str] | None = None,
    enter: Callable[[], None] | None = None,  # called in the new process before its program runs
) -> Iterator[Process]:
    """Start a process, which ends with the context. Raises Died."""
    command = [
        sys.executable,
        "-P",
        str(SUBJECT),
        contender.module,
        contender.function,
        str(event),
        *contender.packages,
    ]
    inherited = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # images are compiled to bytecode
    inherited |= contender.environment | dict(environment or {})
    with TemporaryFile() as log:
        popen = subprocess.Popen(
            command,
            env=inherited | {"BENCH_STARTED": str(time.monotonic())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            preexec_fn=enter,  # noqa: PLW1509 - there is no other thread here
            text=True,
        )
        try:
            yield Process(popen, contender, log)
        finally:
            popen.kill()
            popen.communicate()


def _answer(took: dict[str, Any]) -> Answer:
    parts = dict(part.split(";dur=") for part in took["timing"].split(", ") if part)
    resize = took["resize"] * 1000
    decode = float(parts["decode"]) - resize if parts else 0.0
    return Answer(took["total"] * 1000, decode, resize, float(parts.get("infer", 0)))


def on_cores(count: int) -> Callable[[], None]:
    """What confines a process to the first `count` cores."""
    cores = sorted(os.sched_getaffinity(0))[:count]
    return lambda: os.sched_setaffinity(0, cores)
