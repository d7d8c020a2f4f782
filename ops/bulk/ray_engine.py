"""Images named on a Ray cluster: actors of one CPU each, by the same lines as on this machine. It knows no S3 and no table.

Ray's core alone, without Ray Data: names of images go out and results come back, so that nothing needs a CPU beside the actors (a
pipeline of Ray Data whose actors take every CPU waits for ever, ray#44687) and no image enters the object store. A batch
whose actor dies is tried again on the one that takes its place, and at the end image by image, so that an image which ends its process
is a row with an error.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click
import ray
from ray.exceptions import RayActorError

from model.classifier import load_version
from model.engine import choose_engine, engine_files
from model.manifest import MANIFEST
from model.stores.uri import ModelVersion, resolve
from ops.bulk.items import Item
from ops.bulk.journal import Journal
from ops.bulk.naming import Named, Namer, Wish
from serving.schemas import Problem, Result

ROOT = Path(__file__).parents[2]  # of the code, which workers import
BATCH = 16  # images that an actor is sent at a time, a third of a second of work
AHEAD = 2  # batches at each actor, so that none waits for this process
RETRIES = 2  # of a batch whose actor died
MOST_SUSPECTS = 1000  # images of batches that failed to the last: more, and it is the cluster, not an image
PATIENCE = 300  # s for the first actor: a cluster that scales itself may have to start a machine
FATAL = "this image ended the process that named it, each time: store it smaller, or in another format"
NICENESS = {"worker_niceness": 0}  # Ray's own is 15: anything else goes first
LOCAL: dict[str, Any] = {"address": "local", "include_dashboard": False, "_system_config": NICENESS}

Numbered = tuple[int, Item]
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
    """A namer in a process of its own, made anew wherever that process ends."""

    _namer: Namer | None = None

    def name(self, items: list[Item], task: Task) -> list[Named]:
        self._namer = self._namer or task.namer()
        return [self._namer(item) for item in items]


ACTOR: Any = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=RETRIES)(Worker)


def name_by_ray(
    version: ModelVersion, items: Iterable[Numbered], wish: Wish, known: Journal, workers: int | None
) -> Iterator[tuple[int, Named]]:
    """Name images as actors come to them. Raises ModelError, StoreError and ClickException where no actor starts."""
    _connect(workers)
    try:
        count = workers or int(ray.cluster_resources().get("CPU", 1))
        task = Task(version.name, version.number, wish, ray.put(_files_of(version)), ray.put(known.tags()))
        actors = [ACTOR.remote() for _ in range(count)]
        ready, _ = ray.wait([actor.name.remote([], task) for actor in actors], timeout=PATIENCE)
        if not ready:
            raise click.ClickException(f"no actor began within {PATIENCE} s: the cluster has no CPU free")
        ray.get(ready)
        yield from _spread(actors, items, task)
    finally:
        ray.shutdown()


def _connect(workers: int | None) -> None:
    """To the cluster that RAY_ADDRESS names, or to one of this machine that ends with the run."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports its use home unless it is told not to
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if address := os.environ.get("RAY_ADDRESS"):
        try:
            ray.init(**quiet)
        except ConnectionError as error:
            hint = "a cluster that asks for a token wants RAY_AUTH_MODE=token, and the token in ~/.ray/auth_token"
            raise click.ClickException(f"no Ray cluster lets this process in at {address} ({error}); {hint}") from error
    else:
        os.environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
        )  # its workers'
        ray.init(**quiet, **LOCAL, num_cpus=workers)


def _files_of(version: ModelVersion) -> Files:
    """What the engine needs, as bytes: a worker on another machine sees no folder of this one, and asks no store."""
    manifest = version.manifest()
    paths = engine_files(choose_engine("auto", manifest), manifest)
    directory = version.pull(manifest, paths)
    return {path: (directory / path).read_bytes() for path in paths} | {MANIFEST: manifest.dumps().encode()}


def _spread(actors: list[Any], items: Iterable[Numbered], task: Task) -> Iterator[tuple[int, Named]]:
    """Keep every actor busy, and no more at work than that: the images that wait stay in the journal."""
    left, begun, suspects = iter(items), dict[Any, tuple[Any, list[Numbered]]](), list[Numbered]()

    def begin(actor: Any) -> None:
        if batch := list(islice(left, BATCH)):
            begun[actor.name.remote([item for _, item in batch], task)] = (actor, batch)

    for actor in actors * AHEAD:
        begin(actor)
    while begun:
        (done,), _ = ray.wait(list(begun))
        actor, batch = begun.pop(done)
        try:
            yield from zip((position for position, _ in batch), ray.get(done), strict=True)
        except RayActorError as error:
            suspects += batch
            if len(suspects) > MOST_SUSPECTS:
                raise click.ClickException(
                    f"the cluster's workers end again and again ({error}): look at their memory"
                ) from error
        begin(actor)
    yield from _alone(actors[0], suspects, task)


def _alone(actor: Any, suspects: list[Numbered], task: Task) -> Iterator[tuple[int, Named]]:
    """One image at a time, with none beside it: what ends its process now does it by itself."""
    for position, item in suspects:
        try:
            (named,) = ray.get(actor.name.remote([item], task))
        except RayActorError:
            named = Named(None, Result(error=Problem("Fatal image", 422, "fatal_image", FATAL)))
        yield position, named
