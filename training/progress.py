"""How long work is shown. The command line draws bars; whoever calls the package from Python may stay silent."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

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


class Silent:
    def step(self, sentence: str) -> None:
        pass

    def items(self, title: str, items: Iterable[T], total: int) -> Iterator[T]:
        yield from items

    def bytes(self, title: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        return nullcontext(lambda _: None)
