"""Images named on a Ray cluster (cluster/actors.py), by the same lines as on this machine. It knows no S3 and no table.

Names of images go out and results come back: each actor reads its images itself, and none enters the object store. The model
travels as bytes.
"""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from cluster.actors import cluster, spread
from model.classifier import load_version
from model.engine import choose_engine, engine_files
from model.manifest import MANIFEST
from model.stores.uri import ModelVersion, resolve
from ops.bulk.items import Item
from ops.bulk.journal import Journal
from ops.bulk.naming import Named, Namer, Wish
from serving.schemas import Problem, Result

FATAL = "this image ended the process that named it, each time: store it smaller, or in another format"

Files = dict[str, bytes]  # of a model's version, by their paths


@dataclass(frozen=True)
class Task:
    """What every batch is sent with, since an actor may have been made anew: the large parts by reference, once a machine."""

    model: str
    version: int
    wish: Wish
    files: Any  # refers to Files, in the object store
    known: Any  # refers to the tags of what need not be named again

    def namer(self) -> Namer:
        with tempfile.TemporaryDirectory() as folder:
            for path, content in ray.get(self.files).items():
                file = Path(folder, self.model, str(self.version), path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            classifier = load_version(resolve(f"{folder}/{self.model}/{self.version}"), threads=1)
        return Namer([classifier], self.wish, ray.get(self.known))


class Worker:
    """A namer in a process of its own."""

    _namer: Namer | None = None

    def work(self, items: list[Item], task: Task) -> list[Named]:
        self._namer = self._namer or task.namer()
        return [self._namer(item) for item in items]


def name_by_ray(
    version: ModelVersion, items: Iterable[tuple[int, Item]], wish: Wish, known: Journal, workers: int | None
) -> Iterator[tuple[int, Named]]:
    """Name images as actors come to them. Raises ModelError, StoreError and ClusterError."""
    fatal = Named(None, Result(error=Problem("Fatal image", 422, "fatal_image", FATAL)))
    with cluster(workers) as count:
        task = Task(version.name, version.number, wish, ray.put(_files_of(version)), ray.put(known.tags()))
        yield from spread(Worker, count, items, task, fatal)


def _files_of(version: ModelVersion) -> Files:
    """What the engine needs, as bytes: a worker on another machine sees no folder of this one, and asks no store."""
    manifest = version.manifest()
    paths = engine_files(choose_engine("auto", manifest), manifest)
    directory = version.pull(manifest, paths)
    return {path: (directory / path).read_bytes() for path in paths} | {MANIFEST: manifest.dumps().encode()}
