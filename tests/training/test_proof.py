from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from training.dataset import Example
from training.evaluation import interval
from training.proof import AGREEMENT, FEWEST, choose_sample, compare, paired_interval, why_uncompiled
from training.split import Split


def examples(label: str, count: int, part: str = "") -> tuple[Example, ...]:
    return tuple(Example(Path(f"{part}{label}{i}"), label, *[f"{part}{label}{i:05}"] * 2) for i in range(count))


def test_the_sample_holds_each_label_by_its_share() -> None:
    test = examples("common", 900) + examples("rare", 100)
    chosen = choose_sample(Split((), (), test), 200)
    assert Counter(example.label for example in chosen) == {"common": 180, "rare": 20}


def test_held_out_images_come_first_and_others_fill_up() -> None:
    parts = Split(examples("a", 500, "train"), examples("a", 60, "validation"), examples("a", 60, "test"))
    chosen = choose_sample(parts, 200)
    assert len(chosen) == 200
    assert set(chosen[:60]) == set(parts.test)
    assert set(chosen[60:120]) == set(parts.validation)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 120))
def test_a_smaller_sample_is_the_beginning_of_a_larger_one(first: int, second: int, count: int) -> None:
    parts = Split((), examples("b", second, "validation"), examples("a", first) + examples("b", second))
    assert choose_sample(parts, count) == choose_sample(parts, count + 10)[:count]


def test_a_compiled_model_that_names_images_differently_is_not_good_enough() -> None:
    reference = np.eye(4, dtype=np.float32)[[0, 1, 2, 3] * 10]
    compiled = reference.copy()
    compiled[:4] = np.roll(reference[:4], 1, axis=1)
    classes = np.array([0, 1, 2, 3] * 10)
    parity = compare("int8", reference, compiled, classes)
    assert parity.top1_agreement == 0.9
    assert parity.largest_difference == 1
    assert parity.accuracy_loss == 0.1
    assert not parity.good
    assert compare("fp32", reference, reference, classes).good


def test_a_compiled_model_that_is_right_more_often_is_no_loss() -> None:
    classes = np.zeros(200, int)
    reference = np.tile(np.array([1, 0], np.float32), (200, 1))
    reference[:5] = [0, 1]
    better = np.tile(np.array([1, 0], np.float32), (200, 1))
    parity = compare("int8", reference, better, classes)
    assert parity.accuracy_loss == -0.025
    assert parity.good


@pytest.mark.parametrize(("agreement", "least", "most"), [(0.986, 0, 0.001), (0.97, 0, 0.06), (0.90, 0.98, 1)])
def test_chance_refuses_no_equal_model_and_lets_no_worse_one_pass(agreement: float, least: float, most: float) -> None:
    passing = min(equal for equal in range(161) if interval(equal, 160)[0] >= AGREEMENT)
    assert passing == 152
    assert least <= binom.cdf(passing - 1, 160, agreement) <= most


@given(st.integers(0, 100), st.integers(0, 100), st.integers(200, 1000))
def test_the_interval_of_a_paired_difference_is_mirrored_when_both_change_places(lost: int, won: int, n: int) -> None:
    low, high = paired_interval(lost, won, n)
    assert low < (lost - won) / n + 0.01
    assert high > (lost - won) / n - 0.01
    assert paired_interval(won, lost, n) == pytest.approx([-high, -low])


def test_no_difference_on_few_images_proves_little() -> None:
    assert paired_interval(0, 0, 20)[1] == pytest.approx(0.089, abs=0.001)  # by hand: 1.96 · √1 / 22
    assert paired_interval(0, 0, 200)[1] < 0.01


@pytest.mark.parametrize(("images", "good"), [(FEWEST, True), (FEWEST - 1, False)])
def test_too_few_images_prove_nothing_and_that_is_the_reason_that_is_given(images: int, good: bool) -> None:
    scores = np.tile(np.array([0.9, 0.1], np.float32), (images, 1))
    parity = compare("int8", scores, scores, np.zeros(images, int))
    assert parity.good is good
    said = why_uncompiled({"compiled": None, "refused": [vars(parity)]})
    assert said.startswith("no compiled model was faithful enough" if good else "37 images are too few to prove")
