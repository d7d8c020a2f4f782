"""Images → bottlenecks, by the compiled backbone: the kind of engine that will serve, so both sides see the same numbers.

On a CPU the int8 model is several times faster than TensorFlow, and a head trained on its features loses nothing
(docs/decisions.md). One image at a time on each core: LiteRT and Pillow both release the global interpreter lock.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock, local

import numpy as np
from numpy.typing import NDArray

from model.engine import LitertEngine
from model.image import PREPROCESSING, decode, read_image
from training.backbone import Backbone
from training.cache import FeatureCache
from training.dataset import Example
from training.errors import DatasetError, ExportError
from training.run import Run
from training.savedmodel import BATCH, Precision, build_features, compile_features, features, prepare
from training.spool import Spool
from training.tensorflow_process import tensorflow_process

REFERENCE = "savedmodel"  # in the place of a precision: TensorFlow's own features


@dataclass(frozen=True)
class Extractor:
    """A backbone, as SavedModel and compiled, kept in `folder` by the digest of its weights for every later run."""

    backbone: Backbone
    folder: Path
    precision: Precision = Precision.INT8

    @property
    def identity(self) -> str:
        """All that a feature depends on but the image: two extractors of one identity compute the same."""
        return self._identity(self.precision)

    @property
    def reference_identity(self) -> str:
        """Of the features that the SavedModel computes."""
        return self._identity(REFERENCE)

    def _identity(self, engine: str) -> str:
        return f"{self.backbone.name}/{self.backbone.sha256}/preprocessing-{PREPROCESSING}/{engine}"

    @property
    def saved(self) -> Path:
        """The SavedModel's directory, image → features, whether it is there or not."""
        return self._place(f"{self.reference_identity}/places")

    @property
    def compiled_file(self) -> Path:
        """The compiled model's file, whether it is there or not."""
        return self._place(self.identity).with_suffix(".tflite")

    def _place(self, identity: str) -> Path:
        return self.folder / sha256(identity.encode()).hexdigest()[:16]

    @property
    def ready(self) -> bool:
        return self.saved.exists() and self.compiled_file.exists()

    def begin(self, threads: int) -> None:
        """Have TensorFlow imported, and what is not there yet made, while this process does something else."""
        tensorflow_process().submit(prepare, threads)
        self._make()

    def _make(self) -> list[Future[None]]:
        tensorflow = tensorflow_process()
        self.folder.mkdir(parents=True, exist_ok=True)
        return [
            tensorflow.submit(build_features, self.backbone.build, self.saved),
            tensorflow.submit(compile_features, self.saved, self.precision, self.compiled_file),
        ]

    def compiled(self) -> Path:
        """Return the compiled model's file, made where it is not there yet. Raises WeightsError or ExportError."""
        for made in [] if self.ready else self._make():
            made.result()
        return self.compiled_file


@dataclass(frozen=True, eq=False)
class Features:
    values: NDArray[np.float32]  # (N, D), in the order of the examples
    cached: int  # how many of the N were there before


class Interpreter:
    """The compiled backbone on one thread: a decoded image (299, 299, 3) → its feature (D,). Raises ExportError."""

    def __init__(self, compiled: Path) -> None:
        self._compiled, self._engine = compiled, LitertEngine(compiled, threads=1, output="features")

    def __call__(self, tensor: NDArray[np.uint8]) -> NDArray[np.float32]:
        feature: NDArray[np.float32] = self._engine.scores(tensor[np.newaxis])[0]  # (D,)
        if not np.isfinite(feature).all():
            raise ExportError(f"{self._compiled} computes features that are no numbers; are the weights sound?")
        return feature


class FeatureWriter:
    """Computes the feature of a decoded image and keeps it at once. Threads may share it; each runs its own interpreter."""

    def __init__(self, compiled: Path, cache: FeatureCache) -> None:
        self._compiled, self._cache = compiled, cache
        self._thread = local()
        self._begun: set[str] = set()
        self._lock = Lock()

    def __call__(self, digest: str, tensor: NDArray[np.uint8]) -> None:
        with self._lock:
            if digest in self._begun:  # two files of one content
                return
            self._begun.add(digest)
        if not hasattr(self._thread, "extract"):
            self._thread.extract = Interpreter(self._compiled)
        self._cache.put(digest, self._thread.extract(tensor))


def extract(
    examples: Sequence[Example], extractor: Extractor, cache: FeatureCache, run: Run, spool: Spool | None = None
) -> Features:
    """Compute what the cache lacks, then read all from it. Every feature is kept the moment it is finished."""
    known = cache.digests()
    missing = [example for example in examples if example.digest not in known]
    if missing:
        write = FeatureWriter(extractor.compiled(), cache)
        _each(missing, lambda example: write(example.digest, tensor_of(example, run, spool)), run)
    values = cache.read(example.digest for example in examples)  # (N, D)
    return Features(values, len(examples) - len(missing))


def extract_reference(
    examples: Sequence[Example], extractor: Extractor, cache: Path, run: Run, spool: Spool | None = None
) -> NDArray[np.float32]:
    """The SavedModel's features (N, D), from the cache where they are there.

    They are computed in fixed batches: how many images are computed at once may change the last bits.
    """
    reference = FeatureCache(cache, extractor.reference_identity)
    known = reference.digests()
    for start in range(0, len(examples), BATCH):
        batch = examples[start : start + BATCH]
        if all(example.digest in known for example in batch):
            continue
        images = np.stack([tensor_of(example, run, spool) for example in batch])  # (B, 299, 299, 3)
        found = tensorflow_process().submit(features, extractor.saved, images).result()  # (B, D)
        for example, feature in zip(batch, found, strict=True):
            reference.put(example.digest, feature)
    values = reference.read(example.digest for example in examples)  # (N, D)
    reference.close()
    return values


def _each(examples: Sequence[Example], work: Callable[[Example], None], run: Run) -> None:
    pool = ThreadPoolExecutor(run.workers)
    try:
        for _ in run.progress.items("features", pool.map(work, examples), len(examples)):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def tensor_of(example: Example, run: Run, spool: Spool | None = None) -> NDArray[np.uint8]:
    """The decoded image (299, 299, 3): as it was spooled, else decoded again. Raises DatasetError where the file changed."""
    spooled = spool.get(example.digest) if spool else None
    if spooled is not None:
        return spooled
    data = read_image(example.path, run.limits)
    if sha256(data).hexdigest() != example.digest:
        raise DatasetError(f"{example.path} changed while it was being read; run again")
    return decode(data, run.limits).tensor
