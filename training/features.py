"""Images → bottlenecks, by the compiled backbone: the kind of engine that will serve, so both sides see the same numbers.

On a CPU the int8 model is several times faster than TensorFlow, and a head trained on its features loses nothing
(docs/decisions.md). One image at a time on each core: LiteRT and Pillow both release the global
interpreter lock.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import local
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from model.engine import LitertEngine
from model.image import PREPROCESSING, decode
from training.backbone import Backbone
from training.cache import FeatureCache
from training.dataset import Example
from training.errors import DatasetError
from training.run import Run
from training.savedmodel import Precision, compile_model, save_features

PRECISION = Precision.INT8


@dataclass(frozen=True)
class Extractor:
    """A backbone, compiled when the first feature is missing from the cache, and kept in `folder` for the next run."""

    backbone: Backbone
    folder: Path

    @property
    def identity(self) -> str:
        """All that a feature depends on but the image: two extractors of one identity compute the same."""
        return f"{self.backbone.name}/{self.backbone.sha256}/preprocessing-{PREPROCESSING}/{PRECISION}"

    def compiled(self) -> Path:
        path = self.folder / f"{sha256(self.identity.encode()).hexdigest()[:16]}.tflite"
        if not path.exists():
            with TemporaryDirectory() as scratch:
                save_features(self.backbone.build(), Path(scratch))
                draft = self.folder / f".{uuid4().hex}.tflite"
                draft.write_bytes(compile_model(Path(scratch), PRECISION))
            draft.replace(path)
        return path


@dataclass(frozen=True, eq=False)
class Features:
    values: NDArray[np.float32]  # (N, D), in the order of the examples
    cached: int  # how many of the N were there before


def extract(examples: Sequence[Example], extractor: Extractor, cache: FeatureCache, run: Run) -> Features:
    """Compute what the cache lacks, then read all from it. Every feature is kept the moment it is finished."""
    known = cache.digests()
    missing = [example for example in examples if example.digest not in known]
    if missing:
        _fill(missing, extractor.compiled(), cache, run)
    values = np.stack([cache.get(example.digest) for example in examples])  # (N, D)
    return Features(values, len(examples) - len(missing))


def _fill(missing: Sequence[Example], compiled: Path, cache: FeatureCache, run: Run) -> None:
    mine = local()  # an interpreter serves one thread

    def compute(example: Example) -> None:
        if not hasattr(mine, "engine"):
            mine.engine = LitertEngine(compiled, threads=1)
        data = example.path.read_bytes()
        if sha256(data).hexdigest() != example.digest:
            raise DatasetError(f"{example.path} changed while it was being read; run again")
        image = decode(data, run.limits).tensor[np.newaxis]  # (1, 299, 299, 3)
        cache.put(example.digest, mine.engine.scores(image)[0])  # (D,)

    pool = ThreadPoolExecutor(run.workers)
    try:
        for _ in run.progress.items("features", pool.map(compute, missing), len(missing)):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
