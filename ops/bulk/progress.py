"""A bar with what a person who waits wants to know: how many, how fast, how many failed, how long still."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click


class Advance(Protocol):
    def __call__(self, *, failed: bool) -> None: ...


@contextmanager
def bar(title: str, total: int) -> Iterator[Advance]:
    """Count images on standard error: a bar on a terminal, one line elsewhere."""
    started, done, failures = time.monotonic(), 0, 0

    def facts(_: object) -> str:
        return f"{done / max(time.monotonic() - started, 1e-3):,.0f} images/s, {failures:,} failed"

    shown = click.progressbar(length=total, label=title, show_pos=True, file=sys.stderr, item_show_func=facts)

    def advance(*, failed: bool) -> None:
        nonlocal done, failures
        done, failures = done + 1, failures + failed
        shown.update(1, None)

    with shown:
        yield advance
