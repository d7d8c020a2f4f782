from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.folded import clouds, examples_of, folded_of
from training.dataset import Example
from training.folds import ALWAYS, FEW, FOLDS, Folded, cross_fit, deal, judge
from training.head import fit
from training.proof import scores_of
from training.run import Run


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=1, max_size=60))
def test_a_group_is_never_divided(drawn: list[tuple[str, int]]) -> None:
    examples = [Example(Path(f"{i}"), label, f"{i:064x}", f"{i:064x}") for i, (label, _) in enumerate(drawn)]
    groups = {example.pixels: f"group {group}" for example, (_, group) in zip(examples, drawn, strict=True)}
    folds = deal(examples, groups)
    places: dict[str, set[int]] = {}
    for example, fold in zip(examples, folds.tolist(), strict=True):
        places.setdefault(groups[example.pixels], set()).add(fold)
    assert all(len(found - {ALWAYS}) <= 1 for found in places.values())


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=80))
def test_every_class_can_be_learned_in_every_fold(labels: list[str]) -> None:
    examples = [Example(Path(f"{i}"), label, f"{i:064x}", f"{i:064x}") for i, label in enumerate(labels)]
    folds = deal(examples, {})
    for fold in range(FOLDS):
        others = {label for label, place in zip(labels, folds, strict=True) if place != fold}
        assert others == set(labels)


def test_each_class_is_spread_evenly() -> None:
    examples = examples_of(np.repeat([0, 1, 2], [103, 52, 10]))
    counts = Counter(zip(deal(examples, {}).tolist(), (example.label for example in examples), strict=True))
    for label, total in zip("abc", (103, 52, 10), strict=True):
        assert {counts[fold, label] for fold in range(FOLDS)} <= {total // FOLDS, total // FOLDS + 1}


def test_neither_order_nor_names_change_the_folds() -> None:
    examples = examples_of(np.repeat([0, 1], 40))
    moved = [Example(Path("elsewhere"), e.label, e.digest, e.pixels) for e in reversed(examples)]
    assert deal(examples, {}).tolist() == deal(moved, {}).tolist()[::-1]


def test_a_score_is_that_of_a_head_fitted_on_the_other_folds() -> None:
    labelled = clouds([40, 40, 40])
    folded = folded_of(labelled)
    scores = cross_fit(folded, 0.01, np.ones(120, bool))
    inside = folded.folds == 2
    other = type(labelled)(folded.standardised[~inside], labelled.classes[~inside])
    expected = scores_of(folded.standardised[inside], fit(other, ("a", "b", "c"), 0.01, 1000))
    assert np.abs(scores[inside] - expected).max() < 0.02  # the head standardises the rest by itself


def test_of_fewer_images_than_features_the_span_alone_gives_the_same_scores() -> None:
    labelled = clouds([20, 20, 20], width=90)
    folded = folded_of(labelled)
    assert folded.standardised.shape == (60, 60)
    whole = Folded(folded.examples, labelled, folded.folds, 1000, Run())
    whole.__dict__["standardised"] = (labelled.features - labelled.features.mean(0)) / labelled.features.std(0)
    everything = np.ones(60, bool)
    assert cross_fit(folded, 0.01, everything) == pytest.approx(cross_fit(whole, 0.01, everything), abs=1e-3)


def test_noisy_data_is_regularised_more_than_clean_data() -> None:
    noisy, clean = judge(folded_of(clouds([90] * 3, spread=6.0))), judge(folded_of(clouds([90] * 3, spread=0.2)))
    assert noisy
    assert clean
    assert noisy.c < clean.c


def test_out_of_fold_accuracy_foretells_that_on_new_images() -> None:
    judged = judge(folded_of(clouds([100] * 4, spread=1.5)))
    assert judged
    new = clouds([500] * 4, seed=7, spread=1.5)
    head = fit(clouds([100] * 4, spread=1.5), tuple("abcd"), judged.c, 1000)
    truth = (scores_of(new.features, head).argmax(axis=1) == new.classes).mean()
    assert abs((judged.scores.argmax(axis=1) == judged.classes).mean() - truth) < 0.06


def test_with_labels_that_mean_nothing_nothing_is_learned_by_heart() -> None:
    labelled = clouds([60, 60], spread=1.0)
    shuffled = type(labelled)(labelled.features, np.random.default_rng(0).permutation(labelled.classes))
    judged = judge(folded_of(shuffled))
    assert judged
    assert abs((judged.scores.argmax(axis=1) == judged.classes).mean() - 0.5) < 0.15


def test_two_runs_judge_the_same() -> None:
    one, two = (judge(folded_of(clouds([30, 30, 30]))) for _ in range(2))
    assert one
    assert two
    assert (one.scores == two.scores).all()
    assert (one.distances == two.distances).all()


def test_by_few_images_nothing_is_judged() -> None:
    assert judge(folded_of(clouds([2] * 3))) is None
    assert judge(folded_of(clouds([FEW, 1, 1, 1]))) is None  # of three classes nothing is known
    assert judge(folded_of(clouds([FEW, FEW, 1])))


def test_an_image_without_another_of_its_class_is_learned_and_not_judged() -> None:
    judged = judge(folded_of(clouds([30, 30, 1])))
    assert judged
    assert judged.scores.shape == (60, 3)
    assert {example.label for example in judged.examples} == {"a", "b"}
