"""The page to read: a folder of labelled images becomes a published version, step by step.

It knows no command line; what it is told and what it found are plain values.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from model.image import PREPROCESSING
from model.manifest import Manifest, describe_files
from model.stores.base import NAME, Store
from training.backbone import Backbone
from training.cache import FeatureCache
from training.dataset import Dataset, Example, Severity, refuse_conflicts, refuse_empty, scan
from training.errors import TrainingError
from training.export import Misclassification, export
from training.features import Extractor, Features, extract
from training.finetune import FineTuning, fine_tune
from training.head import Head, LabelledFeatures, choose_c, fit
from training.provenance import git_commit, library_versions
from training.run import Run
from training.split import Percentages, Split, split


@dataclass(frozen=True)
class Job:
    """What to learn from what, and how."""

    image_dir: Path
    name: str  # of the model
    bottleneck_dir: Path  # where features are kept between runs
    percentages: Percentages = Percentages()  # noqa: RUF009 - frozen
    max_steps: int = 1000  # iterations of the head's solver
    fine_tuning: FineTuning = FineTuning()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise TrainingError(
                f"{self.name!r} cannot name a model; use letters, digits, '.', '_' and '-', and more than digits"
            )


@dataclass(frozen=True, eq=False)
class TrainedModel:
    network: Any  # keras.Model: image uint8 (N, 299, 299, 3) → features (N, D)
    head: Head
    fine_tuning: dict[str, Any] | None  # how it went, where it was asked for


@dataclass(frozen=True, eq=False)
class Outcome:
    dataset: Dataset
    split: Split
    features: Features
    trained: TrainedModel
    manifest: Manifest
    version: int
    misclassified: tuple[Misclassification, ...]  # on the test images


def retrain(job: Job, backbone: Backbone, store: Store, run: Run) -> Outcome:
    """check → split → features → head → evaluate → export → publish.

    Raises RecognitionError's children, and OSError where a disk is full or a file vanishes.
    """
    extractor = Extractor(backbone, job.bottleneck_dir)
    cache = FeatureCache(job.bottleneck_dir / "features.sqlite", extractor.identity)
    dataset = scan(job.image_dir, run, decoded=cache.digests())
    refuse_conflicts(dataset)
    refuse_empty(dataset)
    parts = split(dataset.examples, job.percentages)
    features = extract(dataset.examples, extractor, cache, run)
    cache.close()
    run.progress.step("fitting the head")
    trained = _learn(job, backbone, dataset, parts, features, run)
    with TemporaryDirectory(prefix="export-") as scratch:
        directory = Path(scratch)
        made = export(directory, trained.network, trained.head, parts.test, run)
        manifest = Manifest(
            name=job.name,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            labels=dataset.labels,
            preprocessing=PREPROCESSING,
            backbone={"name": backbone.name, "weights": backbone.weights, "sha256": backbone.sha256},
            training=_provenance(job, dataset, parts, trained),
            metrics=made.metrics,
            parity=made.parity,
            libraries=library_versions(),
            git_commit=git_commit(),
            files=describe_files(directory),
        )
        with run.progress.bytes("publishing", sum(entry.size for entry in manifest.files.values())) as done:
            number = store.publish(directory, manifest, done)
    return Outcome(dataset, parts, features, trained, manifest, number, made.misclassified)


def _learn(job: Job, backbone: Backbone, dataset: Dataset, parts: Split, features: Features, run: Run) -> TrainedModel:
    """Fit the head and, where asked, fine-tune; keep the second stage only if validation says that it is better."""
    train, validation = _labelled(dataset, parts, features)
    c = choose_c(train, validation, job.max_steps)
    history = None
    if job.fine_tuning.steps:
        start = fit(train, dataset.labels, c, job.max_steps)
        tuned = fine_tune(backbone, start, parts, job.fine_tuning, run)
        history = {
            **asdict(job.fine_tuning),
            "validation_log_loss": [tuned.loss_before, tuned.loss_after],
            "kept": tuned.better,
        }
        if tuned.better:
            return TrainedModel(tuned.network, tuned.head, history)
    return TrainedModel(backbone.build(), fit(train + validation, dataset.labels, c, job.max_steps), history)


def _labelled(dataset: Dataset, parts: Split, features: Features) -> tuple[LabelledFeatures, LabelledFeatures]:
    row = {example.digest: i for i, example in enumerate(dataset.examples)}
    number = {label: i for i, label in enumerate(dataset.labels)}

    def pick(examples: tuple[Example, ...]) -> LabelledFeatures:
        rows = [row[example.digest] for example in examples]
        return LabelledFeatures(features.values[rows], np.array([number[example.label] for example in examples]))

    return pick(parts.train), pick(parts.validation)


def _provenance(job: Job, dataset: Dataset, parts: Split, trained: TrainedModel) -> dict[str, Any]:
    return {
        "images": {"train": len(parts.train), "validation": len(parts.validation), "test": len(parts.test)},
        "images_by_label": dict(sorted(Counter(example.label for example in dataset.examples).items())),
        "set_aside": len(dataset.problems_of(Severity.ERROR)),
        "split": {
            "digest": parts.digest,
            "testing_percentage": job.percentages.testing,
            "validation_percentage": job.percentages.validation,
        },
        "head": {"solver": "softmax, L2, classes balanced", "C": trained.head.c, "max_steps": job.max_steps},
        "fine_tuning": trained.fine_tuning,
    }
