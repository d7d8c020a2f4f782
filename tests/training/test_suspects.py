import csv
import os
from pathlib import Path

import numpy as np
import pytest

from tests.support.folded import clouds, folded_of
from training.cache import FeatureCache
from training.folds import judge
from training.head import LabelledFeatures
from training.suspects import COLUMNS, Suspect, find_suspects, write_suspects

LABELS = "abcdefgh"


def flipped(labelled: LabelledFeatures, share: float, seed: int) -> tuple[LabelledFeatures, set[int]]:
    """Give a share of the images a random other label."""
    random = np.random.default_rng(seed)
    classes = labelled.classes.copy()
    count = len(np.unique(classes))
    rows = random.choice(len(classes), round(share * len(classes)), replace=False)
    classes[rows] = (classes[rows] + random.integers(1, count, len(rows))) % count
    return LabelledFeatures(labelled.features, classes), set(rows.tolist())


def found_among(labelled: LabelledFeatures, share: float, seed: int) -> tuple[float, float, int]:
    """Precision and recall of the list, and its length."""
    wrong, rows = flipped(labelled, share, seed)
    folded = folded_of(wrong)
    judged = judge(folded)
    assert judged
    listed = {folded.examples.index(suspect.example) for suspect in find_suspects(folded, judged, LABELS)}
    hits = len(listed & rows)
    return hits / max(len(listed), 1), hits / max(len(rows), 1), len(listed)


@pytest.mark.parametrize("seed", range(3))
def test_of_labels_flipped_at_random_three_of_four_are_listed_and_three_of_four_listed_are_flipped(seed: int) -> None:
    precision, recall, _ = found_among(clouds([250] * 5, spread=1.2), 0.05, seed)
    assert precision >= 0.75
    assert recall >= 0.75


def test_of_right_labels_few_are_listed() -> None:
    assert found_among(clouds([250] * 5, spread=1.2), 0, 0)[2] <= 25


def test_what_a_person_decided_is_not_listed_again() -> None:
    labelled, _ = flipped(clouds([100] * 3, spread=1.0), 0.05, 0)
    folded = folded_of(labelled)
    judged = judge(folded)
    assert judged
    first, *others = find_suspects(folded, judged, LABELS)
    assert list(find_suspects(folded, judged, LABELS, {first.example.pixels})) == others


def test_the_label_that_scored_best_is_suggested() -> None:
    labelled, rows = flipped(clouds([100] * 3, spread=0.3), 0.03, 0)
    folded, truth = folded_of(labelled), clouds([100] * 3).classes
    judged = judge(folded)
    assert judged
    for suspect in find_suspects(folded, judged, LABELS):
        row = folded.examples.index(suspect.example)
        assert row in rows
        assert suspect.suggested == LABELS[truth[row]]


def test_the_table_has_a_column_for_the_persons_decision(tmp_path: Path) -> None:
    [example, *_] = folded_of(clouds([3, 3])).examples
    write_suspects(tmp_path / "suspects.csv", [Suspect(example, "b", 0.012345)], Path("/set"))
    header, row = csv.reader((tmp_path / "suspects.csv").read_text().splitlines())
    assert tuple(header) == COLUMNS
    assert row == [example.pixels, str(example.path), "a", "b", "0.0123", ""]


def test_flipped_labels_of_real_photos_are_found(shared_data: Path) -> None:
    """On the features of a training on the photos there: BOTTLENECKS names its --bottleneck-dir."""
    photos = features_of_photos(shared_data)
    precisions, recalls, _ = zip(*(found_among(photos, 0.05, seed) for seed in range(3)), strict=True)
    assert np.mean(precisions) >= 0.75
    assert np.mean(recalls) >= 0.75


def features_of_photos(shared_data: Path) -> LabelledFeatures:
    from training.dataset import scan
    from training.features import Extractor
    from training.pictures import PictureCache
    from training.run import Run
    from training.weights import find_weights, inception_v3

    folder = Path(os.environ.get("BOTTLENECKS", "build/bottlenecks"))
    if not (folder / "features.sqlite").exists():
        pytest.skip(f"needs features of the photos: train on them with --bottleneck-dir {folder}, or set BOTTLENECKS")
    backbone = inception_v3(find_weights(str(shared_data / "inception_v3.weights.h5"), folder))
    cache = FeatureCache(folder / "features.sqlite", Extractor(backbone, folder).identity)
    photos = scan(shared_data / "flower_photos", Run(), PictureCache(folder / "features.sqlite").pictures())
    if {example.digest for example in photos.examples} - cache.digests():
        pytest.skip(f"{folder} lacks features of some photos: train on all of them")
    classes = np.array([photos.labels.index(example.label) for example in photos.examples])
    return LabelledFeatures(cache.read(example.digest for example in photos.examples), classes)
