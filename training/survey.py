"""The images, judged before anything is learned from them: read once, corrected, grouped and split."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.cache import FeatureCache
from training.corrections import Corrected, correct, read_corrections
from training.dataset import Dataset, Example, refuse_unsound, scan
from training.errors import DatasetError
from training.features import Extractor, FeatureWriter
from training.groups import Groups, find_groups
from training.job import Job
from training.near_duplicates import perceptual_hash
from training.pictures import Picture, PictureCache
from training.proof import choose_sample
from training.run import Run
from training.sources.listing import Part, Reading
from training.sources.remote import fetch, origin_of
from training.split import Split, part_of, split
from training.spool import Spool


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
