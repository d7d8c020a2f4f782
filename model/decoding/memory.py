"""How much memory decoding holds, in all threads: what does not fit beside the others waits for its turn."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Condition, get_ident

MUCH = 2**25  # bytes; less is soon used again

_free = Condition()
_held: list[int] = []  # bytes of each decode that is going on
_last = 0  # the thread that last held much


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
        if cost > MUCH and _changed_hands():
            give_back()
        with _free:
            _held.remove(cost)
            _free.notify_all()


def _changed_hands() -> bool:
    """Say whether another thread held much before this one: one thread alone uses again what it freed, and saves a fifth."""
    global _last
    before, _last = _last, get_ident()
    return before not in {0, _last}


def give_back() -> None:
    """Return freed memory to the system: glibc keeps it, in pieces, for each thread, until a function's memory runs out."""
    import ctypes

    with suppress(AttributeError, OSError, TypeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)


def _forget() -> None:
    """A forked child has none of the threads that hold something."""
    global _free  # noqa: PLW0603 - one of them may hold its lock
    _free = Condition()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
