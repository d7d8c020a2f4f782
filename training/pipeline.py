"""The page to read: a folder of labelled images becomes a published version, step by step.

It knows no command line; what it is told and what it found are plain values.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.golden import LOG_ODDS
from model.image import PREPROCESSING
from model.manifest import CARD, Manifest, describe_files
from model.stores.base import NAME, Store
from training.backbone import Backbone
from training.cache import FeatureCache
from training.content import ReadElsewhere
from training.corrections import Corrected, correct, read_corrections
from training.dataset import Dataset, Example, refuse_unsound, scan
from training.errors import DatasetError, TrainingError
from training.evaluation import decisions
from training.export import Export, Material, Misclassification, Scores, begin_export, export
from training.familiarity import count_directions
from training.features import Extractor, Features, FeatureWriter, extract, extract_reference
from training.finetune import FineTuning
from training.groups import Groups, find_groups, key_function
from training.learning import Lesson, Study, TrainedModel, learn, study
from training.near_duplicates import perceptual_hash
from training.pictures import Picture, PictureCache
from training.problems import Severity
from training.proof import choose_sample
from training.provenance import git_commit, library_versions
from training.report.card import model_card
from training.run import Run
from training.sources.listing import LabelsFrom, Part, Reading
from training.sources.remote import fetch, origin_of
from training.split import Percentages, Split, part_of, split
from training.spool import Spool
from training.stopwatch import Stopwatch
from training.tensorflow_process import tensorflow_process
from training.thresholds import PRECISION


@dataclass(frozen=True)
class Job:
    """What to learn from what, and how."""

    image_dir: Path | str  # a folder, a table, an archive, or any of these in a bucket
    name: str  # of the model
    bottleneck_dir: Path  # where features are kept between runs, and what was unpacked or downloaded
    labels_from: LabelsFrom = LabelsFrom.TOP
    percentages: Percentages = Percentages()  # noqa: RUF009 - frozen
    group_by: str | None = None  # a regular expression on an image's path: what has the same key is never divided
    corrections: Path | None = None  # suspects.csv as a person filled it in
    precision: float = PRECISION  # of accepted answers that is wished for, 0–1
    max_steps: int = 1000  # iterations of the head's solver
    fine_tuning: FineTuning = FineTuning()  # noqa: RUF009 - frozen
    proof_images: int = 160  # that the SavedModel scores at most; TensorFlow does about 16 a second on two cores
    read_elsewhere: ReadElsewhere | None = None  # on other machines; None: by this one's threads

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise TrainingError(
                f"{self.name!r} cannot name a model; use letters, digits, '.', '_' and '-', and more than digits"
            )
        if self.group_by is not None:
            key_function(self.group_by)

    @property
    def feature_file(self) -> Path:
        return self.bottleneck_dir / "features.sqlite"


@dataclass(frozen=True, eq=False)
class Survey:
    """The images, judged: they can be learned from."""

    dataset: Dataset  # as it was corrected
    corrected: Corrected
    groups: Groups
    split: Split
    spool: Spool  # decoded images that are needed again
    known: set[str]  # the contents whose features were there before
    bring: Callable[[Iterable[Path]], None]  # files that were read elsewhere, in a bucket, to this machine


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


def survey(job: Job, run: Run, extractor: Extractor | None = None) -> Survey:
    """Read, hash and decode every file once, and judge them. Raises DatasetError where they cannot be learned from.

    With an extractor whose backbone is compiled, features are computed on the way; without, decoded images are spooled until
    it is. Those of the test part are spooled in any case: the SavedModel is proven with them. What is read elsewhere, for
    which the extractor is needed, comes as features; of images in a bucket, the test part is then brought here.
    """
    corrections = read_corrections(job.corrections) if job.corrections else None
    spool, pictures, known, write = Spool(job.bottleneck_dir), PictureCache(job.feature_file), set[str](), None
    if extractor:
        cache = FeatureCache(job.feature_file, extractor.identity)
        known = cache.digests()
        write = FeatureWriter(extractor.compiled(), cache) if extractor.ready else None

    def keep(example: Example, picture: Picture, tensor: NDArray[np.uint8]) -> None:
        if not write or (example.part or part_of(example.pixels, job.percentages)) is Part.TEST:
            spool.put(example.digest, tensor)
        if write and example.digest not in known:
            write(example.digest, tensor)
        keep_picture(example, replace(picture, hash=perceptual_hash(tensor)))

    def keep_feature(example: Example, picture: Picture, feature: NDArray[np.float32]) -> None:
        cache.put(example.digest, feature)
        keep_picture(example, picture)

    def keep_picture(example: Example, picture: Picture) -> None:
        hashes[example.digest] = picture.hash or b""
        pictures.put(example.digest, picture)

    try:
        decoded = {digest: picture for digest, picture in pictures.pictures().items() if digest in known}
        hashes = {digest: picture.hash for digest, picture in decoded.items() if picture.hash is not None}
        before = {digest: decoded[digest] for digest in hashes}
        elsewhere = None
        if extractor and job.read_elsewhere:
            run.progress.step("making the backbone and workers ready")
            elsewhere = partial(job.read_elsewhere, compiled=extractor.compiled(), known=before, limits=run.limits)
        dataset = scan(
            job.image_dir,
            run,
            before,
            keep_feature if elsewhere else keep,
            labels_from=job.labels_from,
            cache=job.bottleneck_dir,
            elsewhere=elsewhere,
        )
    finally:
        pictures.close()
        if extractor:
            cache.close()
    refuse_unsound(dataset)
    corrected = correct(dataset, corrections) if corrections else Corrected(dataset)
    groups = find_groups(corrected.dataset, hashes, job.group_by)
    parts = split(corrected.dataset.examples, job.percentages, groups.keys)
    if job.fine_tuning.steps and not parts.validation:
        raise DatasetError(
            "fine-tuning is judged by validation images, and there are none: add images, or leave it out"
        )
    found = Survey(corrected.dataset, corrected, groups, parts, spool, known, partial(_bring, job, run))
    found.bring(example.path for example in _decoded_again(job, parts))
    return found


def _decoded_again(job: Job, parts: Split) -> Iterable[Example]:
    """The images that are looked at, beside their features, before the model is published."""
    tuned = (*parts.train, *parts.validation) if job.fine_tuning.steps else ()
    return dict.fromkeys((*parts.test, *choose_sample(parts, job.proof_images), *tuned))


def _bring(job: Job, run: Run, paths: Iterable[Path]) -> None:
    if job.read_elsewhere:
        addresses = (origin_of(path, job.bottleneck_dir) for path in paths)
        fetch(filter(None, addresses), Reading(run, job.bottleneck_dir))


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
