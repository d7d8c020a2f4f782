"""Work on threads whose results come in the order of what they are made of, while no more than a window of it is held."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AHEAD = 4  # times as many as there are threads are begun before the first is waited for

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_order(given: Iterable[Given], work: Callable[[Given], Made], threads: int) -> Iterator[Made]:
    pool, begun = ThreadPoolExecutor(threads), deque[Future[Made]]()
    try:
        for one in given:
            begun.append(pool.submit(work, one))
            if len(begun) > AHEAD * threads:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
