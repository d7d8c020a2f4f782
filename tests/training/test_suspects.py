"""Labels that are probably wrong, on features whose labels were flipped."""

import csv
from pathlib import Path

import pytest

from tests.support.flips import LABELS, flipped, found_among
from tests.support.folded import clouds, folded_of
from training.folds import judge
from training.suspects import COLUMNS, Suspect, find_suspects, write_suspects


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


def test_a_class_of_one_large_group_stays_known_to_every_head_when_its_other_images_are_doubted() -> None:
    labelled = clouds([8, 60, 60], spread=0.8)
    labelled.features[6:8] = (
        labelled.features[[10, 80]] + 0.01
    )  # the first class's images outside of its group look like others
    folded = folded_of(labelled)
    group = {example.pixels: folded.examples[0].pixels for example in folded.examples[:6]}
    folded = folded_of(labelled, group)
    judged = judge(folded)
    assert judged
    listed = {folded.examples.index(suspect.example) for suspect in find_suspects(folded, judged, LABELS)}
    assert {6, 7} & listed
    assert not set(range(6)) & listed, "a head that had never seen their class would believe none of them"


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
