"""The process that is measured: it starts as a function does, answers an event, then each line of its standard input.

    python -P bench/worker.py MODULE FUNCTION EVENT

It imports nothing that a function would not: what it measures is the start of a process.
"""

import time

UP = time.monotonic()

import importlib  # noqa: E402 - the clock comes first
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import IO, Any  # noqa: E402

STARTED = float(os.environ["BENCH_STARTED"])  # the parent's time.monotonic(), one clock for all of Linux's processes


class Context:
    aws_request_id = "8b6f6b5e-5b0c-4b0e-9d0a-0a4d3f6a2c11"


def main(module: str, function: str, event_file: str) -> None:
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the function prints goes to its log
    answer = getattr(importlib.import_module(module), function)
    ready = time.monotonic()
    event = _event(event_file)
    read = time.monotonic()
    response = answer(event, Context())
    answered = time.monotonic()
    assert response["statusCode"] == 200, response
    first = {"ready": ready - STARTED, "total": answered - STARTED - (read - ready), "body": response["body"]}
    _reply(replies, first)
    for line in sys.stdin:
        asked = json.loads(line)
        _reply(replies, _answer_often(answer, _event(asked["event"]), asked["count"]))


def _answer_often(answer: Any, event: dict[str, Any], count: int) -> dict[str, Any]:
    took: dict[str, list[float]] = {"ms": [], "engine_ms": []}
    for _ in range(count):
        began = time.perf_counter()
        response = answer(dict(event), Context())
        took["ms"].append((time.perf_counter() - began) * 1000)
        assert response["statusCode"] == 200, response
        took["engine_ms"].append(_engine_ms(response))
    return took


def _engine_ms(response: dict[str, Any]) -> float:
    """What ours says of its engine in Server-Timing; the others say nothing."""
    timing = str(response.get("multiValueHeaders", {}).get("Server-Timing", [""])[0])
    return float(timing.partition("infer;dur=")[2].partition(",")[0] or 0)


def _peak_mb() -> float:
    """The most memory that the process has held."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024  # kB → MB


def _event(path: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(Path(path).read_text())
    return event


def _reply(replies: IO[str], message: dict[str, Any]) -> None:
    replies.write(json.dumps(message | {"peak_mb": _peak_mb()}) + "\n")
    replies.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
