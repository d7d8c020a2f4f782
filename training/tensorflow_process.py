"""TensorFlow in a process of its own: it imports, builds and scores while this one decodes, extracts and fits.

In a thread of this process it would hold the global interpreter lock (docs/decisions.md), and its memory would stay. One such
process serves all trainings of a Python process, and ends with it. It knows nothing of models: it is asked to call functions
of modules, whose arguments and results are pickled.
"""

import os
import signal
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from training.errors import ExportError

T = TypeVar("T")
P = ParamSpec("P")


class TensorflowProcess:
    """Calls functions one after the other, in the order in which they were submitted."""

    def __init__(self) -> None:
        context = get_context("spawn")  # a fork would copy locks that other threads hold at that moment
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # else the end of that process could not be noticed here
        self._calls: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = SimpleQueue()
        Thread(target=self._converse, daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def stop(self) -> None:
        """End it at once: what it was asked for fails."""
        self._process.kill()
        self._process.join()

    def submit(self, function: Callable[P, T], *arguments: P.args, **_: P.kwargs) -> Future[T]:
        """Call a function of a module there; its exceptions come with the result."""
        future: Future[T] = Future()
        self._calls.put((future, function, arguments))
        return future

    def _converse(self) -> None:
        while True:
            future, function, arguments = self._calls.get()
            try:
                self._connection.send((function, arguments))
                result, error = self._connection.recv()
            except (EOFError, OSError) as broken:
                self._process.join()
                error = ExportError(
                    f"the process that runs TensorFlow ended (exit status {self._process.exitcode}); was there too little memory?"
                )
                error.__cause__ = broken
            except Exception as unpicklable:  # noqa: BLE001 - it belongs to the caller, not to this thread
                error = unpicklable
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


def tensorflow_process() -> TensorflowProcess:
    """Return the one of this Python process; a new one where it ended."""
    if not _started().alive:
        _started.cache_clear()
    return _started()


@cache
def _started() -> TensorflowProcess:
    return TensorflowProcess()


def _serve(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both processes; the other one ends this one
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)  # TensorFlow writes there on import and in conversion, at any log level
    while True:
        try:
            function, arguments = connection.recv()
        except EOFError:
            return
        answer: tuple[Any, Exception | None]
        try:
            answer = (function(*arguments), None)
        except Exception as error:  # noqa: BLE001 - raised again where the result is awaited
            answer = (None, error)
        try:
            connection.send(answer)
        except BrokenPipeError:
            return
