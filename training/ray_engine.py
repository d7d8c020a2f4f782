"""Files read and features computed on a Ray cluster (cluster/actors.py), by the same lines as on this machine.

Names of files go out; what they hold comes back, and of each new content its feature. Workers read the files themselves, in a bucket or on a
disk that all machines mount at one path, and are sent nothing of them. The compiled backbone travels as bytes.
"""

import tempfile
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import ray

from cluster.actors import cluster, spread
from model.image import Limits, read_image
from model.stores.addresses import split_address
from model.stores.objects import Bucket, open_bucket
from training.content import Content, Fault, Original, content_of
from training.errors import DatasetError
from training.features import Interpreter
from training.near_duplicates import perceptual_hash
from training.problems import Severity

FATAL = Fault(
    Severity.ERROR,
    "fatal",
    "ended the process that read it, each time: store it smaller, or in another format",
)


@dataclass(frozen=True)
class Task:
    """What every batch is sent with: the large parts by reference, once a machine."""

    limits: Limits
    compiled: Any  # refers to the compiled backbone's bytes, in the object store
    known: Any  # refers to the digests of contents that need not be decoded again


class Reader:
    """Reads files in a process of its own."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._extract: Interpreter | None = None
        self._known: Container[str] = ()

    def work(self, originals: list[Original], task: Task) -> list[Content | Fault]:
        if self._extract is None:
            self._known = ray.get(task.known)
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "backbone.tflite")
                file.write_bytes(ray.get(task.compiled))
                self._extract = Interpreter(file)
        return [self._found(original, task.limits, self._extract) for original in originals]

    def _found(self, original: Original, limits: Limits, extract: Interpreter) -> Content | Fault:
        found = content_of(original.path, partial(self._read, original, limits), self._known, limits)
        if isinstance(found, Fault) or found.made is None or found.picture is None:
            return found
        picture = replace(found.picture, hash=perceptual_hash(found.made))
        return replace(found, picture=picture, made=extract(found.made))

    def _read(self, original: Original, limits: Limits) -> bytes:
        if original.address is None:
            return read_image(original.path, limits)
        name, key = split_address(original.address)
        if name not in self._buckets:
            self._buckets[name] = open_bucket(name)
        return self._buckets[name].read(key, limits.max_bytes)


def read_by_ray(
    originals: Sequence[Original], compiled: Path, known: Iterable[str], limits: Limits
) -> Iterator[tuple[int, Content | Fault]]:
    """Yield what each file holds with its place among them, as workers come to it.

    Raises ClusterError, StoreError, ExportError, and DatasetError where the workers do not see the files.
    """
    with cluster() as count:
        task = Task(limits, ray.put(compiled.read_bytes()), ray.put(frozenset(known)))
        for number, found in spread(Reader, count, enumerate(originals), task, FATAL):
            if isinstance(found, Fault) and found.kind == "unreadable" and originals[number].address is None:
                _refuse_unseen(originals[number], found, limits)
            yield number, found


def _refuse_unseen(original: Original, found: Fault, limits: Limits) -> None:
    """Raise DatasetError where this machine can read what a worker cannot."""
    try:
        read_image(original.path, limits)
    except OSError:
        return
    raise DatasetError(
        f"a worker of the Ray cluster cannot read {original.path} ({found.detail}): put the images into a bucket, or on a disk that "
        "every machine of the cluster mounts at the same path"
    )
