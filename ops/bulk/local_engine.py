"""Images named on this machine: by threads, since LiteRT, Pillow and the network all release the interpreter's lock."""

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from model.classifier import Classifier, load_version
from model.engine import choose_engine
from model.stores.uri import ModelVersion
from ops.bulk.items import Item
from ops.bulk.naming import Named, Namer, Wish

READERS = 16  # images at a time that are read or wait to be scored; of S3, most of the time of a small one is waiting
AHEAD = 4  # images that are listed ahead, for each of them


def name_here(
    version: ModelVersion, items: Iterable[tuple[int, Item]], wish: Wish, known: Container[str], workers: int
) -> Iterator[tuple[int, Named]]:
    """Name images in their order, in memory that does not grow with their number. Raises ModelError or StoreError."""
    namer = Namer(load_classifiers(version, workers), wish, known)
    return _each(items, namer, max(READERS, 2 * workers))


def load_classifiers(version: ModelVersion, workers: int) -> list[Classifier]:
    """One for each worker: compiled models of one thread each, or TensorFlow once, which takes a gigabyte."""
    if choose_engine("auto", version.manifest()) == "litert":
        return [load_version(version, threads=1) for _ in range(workers)]
    return [load_version(version, threads=workers)]


def _each(
    items: Iterable[tuple[int, Item]], name: Callable[[Item], Named], threads: int
) -> Iterator[tuple[int, Named]]:
    pool, begun = ThreadPoolExecutor(threads), deque[tuple[int, Future[Named]]]()
    try:
        for position, item in items:
            begun.append((position, pool.submit(name, item)))
            if len(begun) > AHEAD * threads:
                yield _finished(begun)
        while begun:
            yield _finished(begun)
    finally:
        pool.shutdown(cancel_futures=True)


def _finished(begun: deque[tuple[int, Future[Named]]]) -> tuple[int, Named]:
    position, future = begun.popleft()
    return position, future.result()
