"""Images named on this machine: by threads, since LiteRT, Pillow and the network all release the interpreter's lock."""

from collections.abc import Container, Iterable, Iterator

from model.classifier import Classifier, load_version
from model.engine import choose_engine
from model.machine import granted_cpus
from model.stores.uri import ModelVersion
from ops.bulk.items import Item
from ops.bulk.naming import Named, Namer, Wish
from ops.bulk.ordered import in_order

READERS = 16  # images at a time that are read or wait to be scored; of S3, most of the time of a small one is waiting


def name_here(
    version: ModelVersion, items: Iterable[tuple[int, Item]], wish: Wish, known: Container[str], workers: int | None
) -> Iterator[tuple[int, Named]]:
    """Name images in their order, in memory that does not grow with their number. Raises ModelError or StoreError."""
    cpus = workers or granted_cpus()
    namer = Namer(load_classifiers(version, cpus), wish, known)

    def name(numbered: tuple[int, Item]) -> tuple[int, Named]:
        position, item = numbered
        return position, namer(item)

    return in_order(items, name, max(READERS, 2 * cpus))


def load_classifiers(version: ModelVersion, workers: int) -> list[Classifier]:
    """One for each worker: compiled models of one thread each, or TensorFlow once, which takes a gigabyte."""
    if choose_engine("auto", version.manifest()) == "litert":
        return [load_version(version, threads=1) for _ in range(workers)]
    return [load_version(version, threads=workers)]
