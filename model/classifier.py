"""A trained model that is ready to answer: an engine, the labels of its scores, and where it came from."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.decision import Decision, decide
from model.engine import Engine, Outputs, choose_engine, engine_files, import_ahead, load_engine
from model.errors import ModelCorrupt, ModelIncompatible
from model.golden import check_golden
from model.image import PREPROCESSING
from model.manifest import CARD, LABELS, Manifest, verify_files
from model.stores.uri import ModelVersion, resolve


@dataclass(frozen=True)
class Label:
    name: str
    score: float  # probability, 0–1


@dataclass(frozen=True)
class Classifier:
    engine: Engine
    manifest: Manifest
    version: int
    card: str | None = None  # Markdown; None: the model was made before there were any

    def classify(self, images: NDArray[np.uint8], top_k: int = 5, min_score: float = 0.0) -> list[list[Label]]:
        """Name images (N, 299, 299, 3): for each, at most `top_k` labels of at least `min_score`, best first."""
        return [self.rank(scores, top_k, min_score) for scores in self.engine.scores(images)]

    def rank(self, scores: NDArray[np.float32], top_k: int = 5, min_score: float = 0.0) -> list[Label]:
        """Turn one image's scores (K,) into labels, best first, scores with 4 digits; equal scores keep their order."""
        best = np.argsort(-scores, kind="stable")[:top_k]
        return [Label(self.manifest.labels[i], round(float(scores[i]), 4)) for i in best if scores[i] >= min_score]

    def decide(self, scores: NDArray[np.float32], distance: float | None) -> Decision | None:
        """Judge one image's scores (K,) and distance; None where the model has no thresholds."""
        return decide(self.manifest.thresholds, scores, distance) if self.manifest.thresholds else None

    def decisions(self, outputs: Outputs) -> list[Decision | None]:
        """Judge each image."""
        distances = [None] * len(outputs.scores) if outputs.distances is None else outputs.distances.tolist()
        return [self.decide(*pair) for pair in zip(outputs.scores, distances, strict=True)]


def load_classifier(uri: str, engine: str = "auto", threads: int = 1, cache: Path | None = None) -> Classifier:
    """Load the version that `uri` names now (see model.store.ModelURI.parse) as `load_version` does."""
    return load_version(resolve(uri), engine, threads, cache)


def load_version(
    version: ModelVersion, engine: str = "auto", threads: int = 1, cache: Path | None = None
) -> Classifier:
    """Pull what the engine needs of one version, load it and prove it on its golden images.

    `cache` is where files of a remote store are kept (default: a folder under the system's temporary directory).
    Raises ModelError or StoreError.
    """
    manifest = version.manifest()
    if manifest.preprocessing != PREPROCESSING:
        raise ModelIncompatible(
            f"{version} was trained with preprocessing {manifest.preprocessing}, this code does {PREPROCESSING}: "
            "retrain the model, or run the code it was trained with"
        )
    chosen = choose_engine(engine, manifest)
    with _no_garbage_collection():
        import_ahead(chosen)
        directory = version.pull(manifest, engine_files(chosen, manifest), cache)
        _check_labels(directory, manifest)
        running = load_engine(chosen, directory, threads)
        check_golden(directory, running, manifest)
    return Classifier(running, manifest, version.number, _read_card(directory, manifest))


def _check_labels(directory: Path, manifest: Manifest) -> None:
    """Raise ModelCorrupt unless the manifest's labels are those of labels.txt, whose digest it holds."""
    verify_files(directory, manifest, [LABELS])
    lines = (directory / LABELS).read_bytes().replace(b"\r\n", b"\n").removesuffix(b"\n")
    if lines != "\n".join(manifest.labels).encode():  # as bytes: Python's own lines end at U+2028, too
        raise ModelCorrupt(
            f"{directory}: the labels of its manifest are not those of {LABELS}; publish the model again"
        )


def _read_card(directory: Path, manifest: Manifest) -> str | None:
    if CARD not in manifest.files:
        return None
    verify_files(directory, manifest, [CARD])
    return (directory / CARD).read_text(encoding="utf-8", errors="replace")  # for people: it decides nothing


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Importing TensorFlow makes a million objects that stay; looking through them again and again is a sixth of its start."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
