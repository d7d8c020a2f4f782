"""Our retrain with a stopwatch: `python -m bench.our_training PHOTOS WEIGHTS FOLDER`.

It does what `python -m training retrain` does, notes what each step takes, and keeps features and split for the comparison.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np

from model.stores.uri import open_store
from training.pipeline import Job, Outcome, retrain
from training.run import Run
from training.weights import find_weights, inception_v3

T = TypeVar("T")


class Stopwatch:
    """A progress that adds up what each step took; a step lasts until the next begins."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._title, self._since = "reading", time.monotonic()

    def step(self, sentence: str) -> None:
        now = time.monotonic()
        self.seconds[self._title] = self.seconds.get(self._title, 0) + now - self._since
        self._title, self._since = sentence, now

    def items(self, title: str, items: Iterable[T], total: int) -> Iterator[T]:
        self.step(title)
        yield from items
        self.step(f"after {title}")

    @contextmanager
    def bytes(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        self.step(title)
        yield lambda _: None


def main(photos: Path, weights: str, folder: Path) -> None:
    stopwatch = Stopwatch()
    backbone = inception_v3(find_weights(weights, folder))
    outcome = retrain(
        Job(photos, "flowers", folder / "bottlenecks"), backbone, open_store(str(folder / "store")), Run(stopwatch)
    )
    stopwatch.step("done")
    keep(outcome, folder)
    print(
        json.dumps({"steps": stopwatch.seconds, "cached": outcome.features.cached, "metrics": outcome.manifest.metrics})
    )


def keep(outcome: Outcome, folder: Path) -> None:
    """Write what the comparison needs: features by path, and the lists of paths by label and part."""
    examples = outcome.dataset.examples
    np.savez(
        folder / "features.npz", paths=[str(example.path) for example in examples], features=outcome.features.values
    )
    parts = {"training": outcome.split.train, "validation": outcome.split.validation, "testing": outcome.split.test}
    lists = {
        label: {
            part: [str(example.path) for example in chosen if example.label == label] for part, chosen in parts.items()
        }
        for label in outcome.dataset.labels
    }
    (folder / "lists.json").write_text(json.dumps(lists))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
