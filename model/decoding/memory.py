"""How much of the memory for decoding is in use: what does not fit beside the others waits for its turn."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

_free = Condition()
_held: list[int] = []  # bytes of each decode that is going on


@contextmanager
def reserve(cost: int, most: int) -> Iterator[None]:
    """Hold `cost` bytes of the `most` that all threads share; a single one always gets its turn."""
    with _free:
        while _held and sum(_held) + cost > most:
            _free.wait()
        _held.append(cost)
    try:
        yield
    finally:
        with _free:
            _held.remove(cost)
            _free.notify_all()


def _forget() -> None:
    """A forked child has none of the threads that hold something."""
    global _free  # noqa: PLW0603 - one of them may hold its lock
    _free = Condition()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
