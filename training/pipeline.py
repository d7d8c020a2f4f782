"""The page to read: a folder of labelled images becomes a published version, step by step.

It knows no command line; what it is told and what it found are plain values.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from model.golden import LOG_ODDS
from model.image import PREPROCESSING
from model.manifest import CARD, Manifest, describe_files
from model.stores.base import Store
from training.backbone import Backbone
from training.cache import FeatureCache
from training.dataset import Dataset
from training.evaluation import decisions
from training.export import Export, Material, Misclassification, Scores, begin_export, export
from training.familiarity import count_directions
from training.features import Extractor, Features, extract, extract_reference
from training.job import Job
from training.learning import Lesson, Study, TrainedModel, learn, study
from training.problems import Severity
from training.proof import choose_sample
from training.provenance import git_commit, library_versions
from training.report.card import model_card
from training.run import Run
from training.split import Split
from training.stopwatch import Stopwatch
from training.survey import Survey, survey
from training.tensorflow_process import tensorflow_process


@dataclass(frozen=True, eq=False)
class Outcome:
    found: Survey
    features: Features
    study: Study
    trained: TrainedModel
    manifest: Manifest
    version: int
    scores: dict[str, Scores]  # engine → test image → (K,) probabilities
    misclassified: tuple[Misclassification, ...]  # on the test images
    seconds: dict[str, float]  # of each step, publishing included

    @property
    def dataset(self) -> Dataset:
        return self.found.dataset

    @property
    def split(self) -> Split:
        return self.found.split


def retrain(job: Job, backbone: Backbone, store: Store, run: Run, surveyed: Survey | None = None) -> Outcome:
    """photos → features → out-of-fold scores → head → export → publish. `surveyed` is what `survey` found, where it was asked before.

    Raises RecognitionError's children, and OSError where a disk is full or a file vanishes.
    """
    steps = Stopwatch()
    extractor = Extractor(backbone, job.bottleneck_dir)
    extractor.begin(run.workers)
    with steps("photos"):
        found = surveyed or survey(job, run, extractor)
    with steps("backbone"):
        extractor.compiled()
    with steps("features"):
        features = _extract(found, extractor, job, run)
    with TemporaryDirectory(prefix="export-") as scratch:
        directory, tuned = Path(scratch, "version"), Path(scratch, "tuned")
        lesson = _lesson(job, found, run)
        begin_export(
            extractor, len(found.dataset.labels), count_directions(len(lesson.known), features.values.shape[1])
        )
        with _reference_ahead(job, found, extractor, run, steps):
            run.progress.step("scoring out of fold")
            with steps("folds"):
                studied = study(lesson, features.values)
            run.progress.step("fitting the head")
            with steps("head"):
                trained = learn(lesson, studied, extractor, features.values, job.fine_tuning, tuned)
        learned = (trained.extractor, trained.head, trained.familiarity)
        material = Material(*learned, found.split, job.proof_images, job.feature_file, found.spool)
        made = export(directory, material, run, steps)
        manifest = Manifest(
            name=job.name,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            labels=found.dataset.labels,
            preprocessing=PREPROCESSING,
            backbone={"name": backbone.name, "weights": backbone.weights, "sha256": backbone.sha256},
            training=_provenance(job, found, studied, trained) | {"seconds": dict(steps.seconds)},
            metrics=_with_decisions(made, found, trained),
            parity=made.parity,
            golden_log_odds=LOG_ODDS,
            libraries=library_versions(),
            git_commit=git_commit(),
            files={},  # described when all are there
            thresholds=trained.thresholds,
        )
        (directory / CARD).write_text(model_card(manifest), encoding="utf-8")
        manifest = replace(manifest, files=describe_files(directory))
        total = sum(entry.size for entry in manifest.files.values())
        with steps("publish"), run.progress.bytes("publishing", total) as done:
            number = store.publish(directory, manifest, done)
    return Outcome(found, features, studied, trained, manifest, number, made.scores, made.misclassified, steps.seconds)


def _extract(found: Survey, extractor: Extractor, job: Job, run: Run) -> Features:
    cache = FeatureCache(job.feature_file, extractor.identity)
    features = extract(found.dataset.examples, extractor, cache, run, found.spool)
    cache.close()
    return Features(features.values, sum(example.digest in found.known for example in found.dataset.examples))


@contextmanager
def _reference_ahead(job: Job, found: Survey, extractor: Extractor, run: Run, steps: Stopwatch) -> Iterator[None]:
    """Let TensorFlow compute the features of the proof's images meanwhile: fitting the head keeps one core busy."""
    sample = choose_sample(found.split, job.proof_images)
    with ThreadPoolExecutor(1) as aside:
        ahead = aside.submit(extract_reference, sample, extractor, job.feature_file, run, found.spool)
        try:
            yield
        except BaseException:
            tensorflow_process().stop()  # else the thread would be waited for
            raise
        with steps("SavedModel's features"):
            ahead.result()


def _lesson(job: Job, found: Survey, run: Run) -> Lesson:
    return Lesson(
        found.dataset,
        found.split,
        found.groups.keys,
        found.corrected.decided,
        lambda extractor: _extract(found, extractor, job, run).values,
        job.max_steps,
        job.precision,
        run,
    )


def _with_decisions(made: Export, found: Survey, trained: TrainedModel) -> dict[str, Any]:
    """The metrics, and what thresholds make of the answers of the engine that serves by default."""
    if not trained.thresholds:
        return made.metrics
    engine = "litert" if "litert" in made.scores else "tensorflow"
    examples, scores = tuple(made.scores[engine]), np.stack(list(made.scores[engine].values()))
    classes = np.array([found.dataset.labels.index(example.label) for example in examples])
    far = trained.distances(found.dataset, examples)
    decided = decisions(scores, far, classes, trained.thresholds)
    return {**made.metrics, engine: {**made.metrics[engine], "decisions": decided}}


def _provenance(job: Job, found: Survey, studied: Study, trained: TrainedModel) -> dict[str, Any]:
    dataset, parts = found.dataset, found.split
    return {
        "images": {"train": len(parts.train), "validation": len(parts.validation), "test": len(parts.test)},
        "images_by_label": dict(sorted(Counter(example.label for example in dataset.examples).items())),
        "set_aside": len(dataset.problems_of(Severity.ERROR)),
        "layout": dataset.layout,
        "split": {
            "digest": parts.digest,
            "moved": {part.value: count for part, count in parts.moved.items()},
            "testing_percentage": job.percentages.testing,
            "validation_percentage": job.percentages.validation,
            "group_by": job.group_by,
            "near_duplicates": sum(map(len, found.groups.near_duplicates)),
        },
        "corrections": found.corrected.described(),
        "suspects": len(studied.suspects),
        "learning_curve": studied.curve and asdict(studied.curve),
        "head": {
            "solver": "softmax, L2, classes balanced",
            "C": trained.head.c,
            "C_by": "out-of-fold log-loss" if studied.judged else "default",
            "max_steps": job.max_steps,
        },
        "fine_tuning": trained.fine_tuning,
    }
