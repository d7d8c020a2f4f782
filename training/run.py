"""How a run reads images: within which limits, on how many threads; and how its long work is shown.

The command line draws bars; NullProgress, the default, shows nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol, TypeVar

from model.image import Limits
from model.machine import granted_cpus

T = TypeVar("T")


class Progress(Protocol):
    def step(self, sentence: str) -> None:
        """Tell what begins now, where nothing can be counted."""
        ...

    def items(self, title: str, items: Iterable[T], total: int) -> Iterator[T]:
        """Pass the items on, counting them."""
        ...

    def bytes(self, title: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """Count bytes: the function that is given is called with how many more are done."""
        ...


class NullProgress:
    def step(self, sentence: str) -> None:
        pass

    def items(self, title: str, items: Iterable[T], total: int) -> Iterator[T]:
        yield from items

    def bytes(self, title: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        return nullcontext(lambda _: None)


@dataclass(frozen=True)
class Run:
    progress: Progress = NullProgress()  # noqa: RUF009 - it has no state
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    workers: int = granted_cpus()  # threads; one a core
