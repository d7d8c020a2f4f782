"""The process that is measured: it starts as a function does, answers an event, then obeys the lines on its standard input.

    python -P bench/subject.py MODULE FUNCTION EVENT [PACKAGE …]

It imports nothing that a function would not: what it measures is the start of a process.
"""

import time

UP = time.monotonic()

import importlib  # noqa: E402 - the clock comes first
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

STARTED = float(os.environ["BENCH_STARTED"])  # the parent's time.monotonic(), one clock for all of Linux's processes


class Context:
    aws_request_id = "8b6f6b5e-5b0c-4b0e-9d0a-0a4d3f6a2c11"


def main(module: str, function: str, event_file: str, *packages: str) -> None:
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the function prints goes to its log
    for package in packages:
        importlib.import_module(package)
    imported = time.monotonic()
    answer = getattr(importlib.import_module(module), function)
    ready = time.monotonic()
    event = _event(event_file)
    read = time.monotonic()
    response = answer(event, Context())
    answered = time.monotonic()
    phases = {
        "interpreter": UP - STARTED,
        "packages": imported - UP,
        "module": ready - imported,
        "first": answered - read,
    }
    _reply(replies, phases | {"total": answered - STARTED - (read - ready), "body": response["body"]})
    resizing = _watch_resizing()
    for line in sys.stdin:
        asked = json.loads(line)
        _reply(replies, _peak() if asked is None else _answer_often(answer, asked, resizing))


def _answer_often(answer, asked, resizing):
    event, took = _event(asked["event"]), []
    for _ in range(asked["count"]):
        resizing.clear()
        began = time.perf_counter()
        response = answer(dict(event), Context())
        total = time.perf_counter() - began
        assert response["statusCode"] == 200, response
        took.append({"total": total, "timing": _server_timing(response), "resize": sum(resizing)})
    return took


def _server_timing(response):
    """What ours says of itself; the others do not."""
    return response.get("multiValueHeaders", {}).get("Server-Timing", [""])[0]


def _watch_resizing():
    """Time Pillow's own resizing, which is part of what a function calls decoding; no list is filled without Pillow."""
    took = []
    if "PIL.Image" in sys.modules:
        image = sys.modules["PIL.Image"].Image
        resize = image.resize

        def timed(*arguments, **named):
            began = time.perf_counter()
            result = resize(*arguments, **named)
            took.append(time.perf_counter() - began)
            return result

        image.resize = timed
    return took


def _peak():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024  # kB → MB


def _event(path):
    return json.loads(Path(path).read_text())


def _reply(replies, message):
    replies.write(json.dumps(message) + "\n")
    replies.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
