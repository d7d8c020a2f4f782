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
from numpy.typing import NDArray

from model.golden import LOG_ODDS
from model.image import PREPROCESSING
from model.manifest import Manifest, describe_files
from model.stores.base import NAME, Store
from training.backbone import Backbone
from training.cache import FeatureCache
from training.dataset import Dataset, Example, refuse_unsound, scan
from training.errors import DatasetError, TrainingError
from training.export import Material, Misclassification, export
from training.familiarity import Familiarity, fit_familiarity
from training.features import Extractor, Features, FeatureWriter, extract, extract_reference
from training.finetune import FineTuning, fine_tune
from training.head import Head, LabelledFeatures, can_choose, choose_c, fit
from training.pictures import Picture, PictureCache
from training.problems import Severity
from training.proof import choose_sample
from training.provenance import git_commit, library_versions
from training.run import Run
from training.savedmodel import save_features, weights_digest
from training.sources.listing import LabelsFrom, Part
from training.split import Percentages, Split, part_of, split
from training.spool import Spool
from training.stopwatch import Stopwatch
from training.tensorflow_process import tensorflow_process


@dataclass(frozen=True)
class Job:
    """What to learn from what, and how."""

    image_dir: Path | str  # a folder, a table, an archive, or any of these at s3://bucket/prefix
    name: str  # of the model
    bottleneck_dir: Path  # where features are kept between runs, and what was unpacked or downloaded
    labels_from: LabelsFrom = LabelsFrom.TOP
    percentages: Percentages = Percentages()  # noqa: RUF009 - frozen
    max_steps: int = 1000  # iterations of the head's solver
    fine_tuning: FineTuning = FineTuning()  # noqa: RUF009 - frozen
    proof_images: int = 200  # that the SavedModel scores at most; TensorFlow does about 18 a second on two cores

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise TrainingError(
                f"{self.name!r} cannot name a model; use letters, digits, '.', '_' and '-', and more than digits"
            )

    @property
    def feature_file(self) -> Path:
        return self.bottleneck_dir / "features.sqlite"


@dataclass(frozen=True, eq=False)
class Survey:
    """The images, judged: they can be learned from."""

    dataset: Dataset
    split: Split
    spool: Spool  # decoded images that are needed again
    known: set[str]  # the contents whose features were there before


@dataclass(frozen=True, eq=False)
class TrainedModel:
    extractor: Extractor  # of the backbone that the head was fitted on
    head: Head
    familiarity: Familiarity  # with the features of the images that the head was fitted on
    c_by_validation: bool  # else there were too few images to choose by
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
    seconds: dict[str, float]  # of each step, publishing included


def retrain(job: Job, backbone: Backbone, store: Store, run: Run, surveyed: Survey | None = None) -> Outcome:
    """photos → features → head → export → publish. `surveyed` is what `survey` found, where it was asked before.

    Raises RecognitionError's children, and OSError where a disk is full or a file vanishes.
    """
    steps = Stopwatch()
    extractor = Extractor(backbone, job.bottleneck_dir)
    extractor.begin(run.workers)
    with steps("photos"):
        found = surveyed or survey(job, run, extractor)
    dataset, parts = found.dataset, found.split
    with steps("backbone"):
        extractor.compiled()
    with steps("features"):
        features = _extract(found, extractor, job, run)
    with TemporaryDirectory(prefix="export-") as scratch:
        directory, tuned = Path(scratch, "version"), Path(scratch, "tuned")
        run.progress.step("fitting the head")
        with steps("head"), _reference_ahead(job, found, extractor, run):
            trained = _learn(job, extractor, found, features, run, tuned)
        learned = (trained.extractor, trained.head, trained.familiarity)
        material = Material(*learned, parts, job.proof_images, job.feature_file, found.spool)
        made = export(directory, material, run, steps)
        manifest = Manifest(
            name=job.name,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            labels=dataset.labels,
            preprocessing=PREPROCESSING,
            backbone={"name": backbone.name, "weights": backbone.weights, "sha256": backbone.sha256},
            training=_provenance(job, dataset, parts, trained) | {"seconds": dict(steps.seconds)},
            metrics=made.metrics,
            parity=made.parity,
            golden_log_odds=LOG_ODDS,
            libraries=library_versions(),
            git_commit=git_commit(),
            files=describe_files(directory),
        )
        total = sum(entry.size for entry in manifest.files.values())
        with steps("publish"), run.progress.bytes("publishing", total) as done:
            number = store.publish(directory, manifest, done)
    return Outcome(dataset, parts, features, trained, manifest, number, made.misclassified, steps.seconds)


def survey(job: Job, run: Run, extractor: Extractor | None = None) -> Survey:
    """Read, hash and decode every file once, and judge them. Raises DatasetError where they cannot be learned from.

    With an extractor whose backbone is compiled, features are computed on the way; without, decoded images are spooled until
    it is. Those of the test part are spooled in any case: the SavedModel is proven with them.
    """
    spool, pictures, known, write = Spool(job.bottleneck_dir), PictureCache(job.feature_file), set[str](), None
    if extractor:
        cache = FeatureCache(job.feature_file, extractor.identity)
        known = cache.digests()
        write = FeatureWriter(extractor.compiled(), cache) if extractor.ready else None

    def keep(example: Example, picture: Picture, tensor: NDArray[np.uint8]) -> None:
        if not write or (example.part or part_of(example.pixels, job.percentages)) is Part.TEST:
            spool.put(example.digest, tensor)
        if write:
            write(example.digest, tensor)
        pictures.put(example.digest, picture)

    try:
        before = {digest: picture for digest, picture in pictures.pictures().items() if digest in known}
        dataset = scan(job.image_dir, run, before, keep, labels_from=job.labels_from, cache=job.bottleneck_dir)
    finally:
        pictures.close()
        if extractor:
            cache.close()
    refuse_unsound(dataset)
    parts = split(dataset.examples, job.percentages)
    if job.fine_tuning.steps and not parts.validation:
        raise DatasetError(
            "fine-tuning is judged by validation images, and there are none: add images, or leave it out"
        )
    return Survey(dataset, parts, spool, known)


def _extract(found: Survey, extractor: Extractor, job: Job, run: Run) -> Features:
    cache = FeatureCache(job.feature_file, extractor.identity)
    features = extract(found.dataset.examples, extractor, cache, run, found.spool)
    cache.close()
    return Features(features.values, sum(example.digest in found.known for example in found.dataset.examples))


@contextmanager
def _reference_ahead(job: Job, found: Survey, extractor: Extractor, run: Run) -> Iterator[None]:
    """Let TensorFlow compute the features of the proof's images meanwhile: fitting the head keeps one core busy."""
    sample = choose_sample(found.split, job.proof_images)
    with ThreadPoolExecutor(1) as aside:
        ahead = aside.submit(extract_reference, sample, extractor, job.feature_file, run, found.spool)
        try:
            yield
        except BaseException:
            tensorflow_process().stop()  # else the thread would be waited for
            raise
        ahead.result()


def _learn(job: Job, extractor: Extractor, found: Survey, features: Features, run: Run, folder: Path) -> TrainedModel:
    """Fit the head and, where asked, fine-tune; keep the second stage, in `folder`, only if validation says that it is better."""
    labels = found.dataset.labels
    train, validation = _labelled(found.dataset, found.split, features)
    c, chosen = choose_c(train, validation, job.max_steps), can_choose(train, validation)
    history = None
    if job.fine_tuning.steps:
        start = fit(train, labels, c, job.max_steps)
        tuned = fine_tune(extractor.backbone, start, found.split, job.fine_tuning, run)
        history = {
            **asdict(job.fine_tuning),
            "validation_log_loss": [tuned.loss_before, tuned.loss_after],
            "kept": tuned.better,
        }
        if tuned.better:
            saved = _saved(tuned.network, extractor, folder)
            anew, _ = _labelled(found.dataset, found.split, _extract(found, saved, job, run))
            return TrainedModel(saved, tuned.head, fit_familiarity(anew.features), chosen, history)
    known = train + validation
    return TrainedModel(
        extractor, fit(known, labels, c, job.max_steps), fit_familiarity(known.features), chosen, history
    )


def _saved(network: Any, extractor: Extractor, folder: Path) -> Extractor:
    """Save a fine-tuned network where an extractor of its own looks for it; its features are other features."""
    tuned = Extractor(replace(extractor.backbone, sha256=weights_digest(network)), folder)
    folder.mkdir()
    save_features(network, tuned.saved)
    return tuned


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
        "layout": dataset.layout,
        "split": {
            "digest": parts.digest,
            "moved": {part.value: count for part, count in parts.moved.items()},
            "testing_percentage": job.percentages.testing,
            "validation_percentage": job.percentages.validation,
        },
        "head": {
            "solver": "softmax, L2, classes balanced",
            "C": trained.head.c,
            "C_by": "validation" if trained.c_by_validation else "default",
            "max_steps": job.max_steps,
        },
        "fine_tuning": trained.fine_tuning,
    }
