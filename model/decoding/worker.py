"""A decoder's own process: answers requests until the other side is gone (see alone). It ends itself at an image's bounds."""

import json
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from model.decoding.header import Header, read_header
from model.decoding.limits import MB, Limits
from model.decoding.memory import give_back
from model.decoding.picture import read_picture, reader
from model.errors import ImageError, ImageOutOfBounds

OVERHEAD = 96 * MB  # the decoder's threads and tables, and the file, several times


def serve() -> None:
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123 - pathlib takes 10 ms to import
        file.write("1000")  # where memory runs out all the same, this process is the one to end
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while line := requests.readline():
        request = json.loads(line)
        data = requests.read(request["bytes"])
        answer, pixels = _answer(request["format"], data, Limits(**request["limits"]))
        answers.write(json.dumps(answer).encode() + b"\n" + pixels)
        answers.flush()
        del data
        give_back()  # while nobody waits


def _answer(format: str, data: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    try:
        header = read_header(format, data, limits)
        _import_ahead(format, header)
        _bound(header, limits)
        found = read_picture(format, header)
    except ImageError as error:
        return {"error": type(error).__name__, "text": str(error)}, b""
    except MemoryError:
        text = f"decoding the {format} image takes more memory than is fair for its size: save it anew"
        return {"error": ImageOutOfBounds.__name__, "text": text}, b""
    finally:
        _unbound()
    return {"width": found.width, "height": found.height}, found.picture.tobytes()


def _import_ahead(format: str, header: Header) -> None:
    """Import what the image will need before its time and memory count: they are bounds of the decode."""
    reader(format)
    if header.bits > 8:
        import_module("numpy")


if sys.platform == "win32":  # it has neither limit: there only headers bound a decoder

    def _bound(header: Header, limits: Limits) -> None:
        pass

    def _unbound() -> None:
        pass

else:
    import resource

    def _bound(header: Header, limits: Limits) -> None:
        """Ask the kernel to deny more memory than the header promised, and to end this process after its time on a CPU."""
        resource.setrlimit(resource.RLIMIT_DATA, (_held() + header.cost + OVERHEAD, resource.RLIM_INFINITY))
        signal.setitimer(signal.ITIMER_PROF, limits.seconds(header.width * header.height))  # all threads of the process

    def _held() -> int:
        """Return the bytes that count already: libraries' data, and stacks of threads that the last image started."""
        try:
            with open("/proc/self/statm") as file:  # noqa: PTH123
                return int(file.read().split()[5]) * resource.getpagesize()
        except OSError:  # macOS
            return 0

    def _unbound() -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
