"""Score image files with an engine: decoded in parallel, a batch at a time."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.engine import Engine
from model.image import decode
from training.run import Run

BATCH = 8  # images; TensorFlow on a CPU gains a third over single ones, and no more beyond


def score_files(engine: Engine, paths: Sequence[Path], run: Run) -> NDArray[np.float32]:
    """Return the scores (N, K) of the images, in their order. Raises ImageError for the first that cannot be read."""

    def tensor(path: Path) -> NDArray[np.uint8]:
        return decode(path.read_bytes(), run.limits).tensor  # (299, 299, 3)

    def batches() -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(paths), BATCH):
            images = np.stack(list(pool.map(tensor, paths[start : start + BATCH])))  # (B, 299, 299, 3)
            yield from engine.scores(images)

    with ThreadPoolExecutor(run.workers) as pool:
        return np.stack(list(run.progress.items(f"scoring with {engine.name}", batches(), len(paths))))
