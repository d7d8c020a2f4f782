"""Decoding in a process of its own, for decoders that no header bounds: they end there, not here.

A decoder's process is started when the first such image arrives, takes one image at a time, and is kept for the next.
What passes the memory or the time that is fair for its size is killed there by the kernel (see worker), and only that
image is refused. Plain pipes join the two: Lambda has no /dev/shm, which multiprocessing's queues and pools need.

    request   a line of JSON: format, bytes, limits;  then the bytes
    answer    a line of JSON: error and its text, or width and height;  then 299 × 299 × 3 bytes
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from threading import Lock

from PIL import Image

from model import errors
from model.decoding.header import SIDE, Header
from model.decoding.limits import MB, Limits
from model.decoding.picture import Small
from model.errors import ImageError, ImageOutOfBounds

BOOT = "import sys; sys.path[:] = {path!r}; from model.decoding.worker import serve; serve()"
MOST_IDLE = 8  # processes that are kept; each holds about 15 MB
ALARMS = {getattr(signal, "SIGPROF", None)}  # Windows has none
SILENCE = 60.0  # s of waiting, for each second of a CPU that is granted: a process that sleeps for ever is ended, too


class Decoder:
    """One process that decodes for this one."""

    def __init__(self) -> None:
        path = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100 - "" is the current directory
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", BOOT.format(path=path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._silent = False
        assert self._process.stdin
        assert self._process.stdout
        self._requests, self._answers = self._process.stdin, self._process.stdout

    def decode(self, format: str, data: bytes, limits: Limits, seconds: float) -> Small:
        """Raises ImageError; EOFError where the process ended before it answered."""
        request = {"format": format, "bytes": len(data), "limits": asdict(limits)}
        with suppress(BrokenPipeError):
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.write(data)
            self._requests.flush()
        answer = json.loads(self._line(seconds * SILENCE))
        if "error" in answer:
            raise getattr(errors, answer["error"])(answer["text"])
        pixels = self._answers.read(SIDE * SIDE * 3)
        if len(pixels) < SIDE * SIDE * 3:
            raise EOFError
        return Small(Image.frombytes("RGB", (SIDE, SIDE), pixels), answer["width"], answer["height"])

    def _line(self, seconds: float) -> bytes:
        if hasattr(select, "poll"):  # not on Windows
            poll = select.poll()
            poll.register(self._answers, select.POLLIN)
            if not poll.poll(seconds * 1000):
                self._silent = True
                raise EOFError
        line = self._answers.readline(2**16)
        if not line.endswith(b"\n"):
            raise EOFError
        return line

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ended_by_time(self) -> bool:
        """Say whether it ended itself after its time on a CPU (see worker), or was closed for its silence."""
        return self._silent or -(self._process.returncode or 0) in ALARMS

    def close(self) -> None:
        self._process.kill()
        with suppress(OSError):  # what was not written is of no use to anybody
            self._requests.close()
        self._answers.close()
        self._process.wait()


_idle: list[Decoder] = []
_lock = Lock()


def read_alone(format: str, header: Header, data: bytes, limits: Limits) -> Small:
    """Decode in a process of its own. Raises ImageError, whatever the decoder does."""
    seconds = limits.seconds(header.width * header.height)
    for _ in range(2):  # a process may be ended by somebody else: that is no fault of the image
        decoder = _take()
        try:
            return _decode(decoder, format, data, limits, seconds)
        except EOFError:
            if decoder.ended_by_time():
                break
    raise ImageOutOfBounds(
        f"decoding the {format} image takes more than the {seconds:g} s of a CPU and the {header.cost / MB:,.0f} MB of "
        "memory that are fair for its size: save it anew, or send it as a JPEG"
    )


def _take() -> Decoder:
    """Return a process that waits for work, or a new one."""
    while True:
        with _lock:
            decoder = _idle.pop() if _idle else None
        if decoder is None:
            return Decoder()
        if decoder.is_alive():
            return decoder
        decoder.close()


def _decode(decoder: Decoder, format: str, data: bytes, limits: Limits, seconds: float) -> Small:
    """Use a process; it is kept unless something else than a refusal of the image ended its use."""
    sound = False
    try:
        found = decoder.decode(format, data, limits, seconds)
        sound = True
    except ImageError:
        sound = True
        raise
    finally:
        with _lock:
            sound = sound and len(_idle) < MOST_IDLE
            if sound:
                _idle.append(decoder)
        if not sound:
            decoder.close()
    return found


def close_all() -> None:
    """End the processes that wait for work."""
    with _lock:
        idle, _idle[:] = _idle[:], []
    for decoder in idle:
        decoder.close()


def _forget() -> None:
    """A forked child shares its parent's pipes, and must not speak on them."""
    global _lock  # noqa: PLW0603 - a thread that the child does not have may hold it
    _lock = Lock()
    _idle.clear()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
