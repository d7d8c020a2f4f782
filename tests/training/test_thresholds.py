import numpy as np
import pytest

from tests.support.folded import clouds, examples_of, folded_of
from training.folds import Judged, judge
from training.thresholds import fewest_answers, find_thresholds


def judged_of(scores: np.ndarray, classes: np.ndarray, distances: np.ndarray) -> Judged:
    return Judged(examples_of(classes), classes, scores.astype(np.float32), distances, np.zeros(len(classes)), 0.01)


def of_one_label(right: np.ndarray) -> Judged:
    """Answers `a`, the surest first, from 1.00 downwards."""
    first = np.linspace(1, 0.51, len(right))
    return judged_of(np.column_stack([first, 1 - first]), np.where(right, 0, 1), np.linspace(0, 1, len(right)))


def test_a_threshold_leaves_out_what_is_wrong_too_often() -> None:
    thresholds = find_thresholds(of_one_label(np.arange(200) < 120), 0.95)
    least = thresholds.labels[0]
    first = np.linspace(1, 0.51, 200)
    accepted = first >= least - 1e-6
    assert 118 <= accepted.sum() <= 125


def test_few_right_answers_prove_no_precision() -> None:
    assert find_thresholds(of_one_label(np.ones(25, bool)), 0.95).labels[0] is None
    assert find_thresholds(of_one_label(np.ones(40, bool)), 0.95).labels[0] == pytest.approx(0.51)


@pytest.mark.parametrize("precision", [0.5, 0.8, 0.95, 0.99])
def test_how_many_right_answers_prove_a_precision_is_known(precision: float) -> None:
    enough = fewest_answers(precision)
    assert find_thresholds(of_one_label(np.ones(enough, bool)), precision).labels[0] is not None
    assert find_thresholds(of_one_label(np.ones(enough - 1, bool)), precision).labels[0] is None


def test_a_higher_precision_accepts_less() -> None:
    judged = judge(folded_of(clouds([120] * 3, spread=2.5)))
    assert judged
    some, most = (find_thresholds(judged, wished).labels for wished in (0.7, 0.9))
    assert all(high is None or low <= high for low, high in zip(some, most, strict=True))


def test_a_label_that_is_never_first_has_no_threshold() -> None:
    assert find_thresholds(of_one_label(np.ones(40, bool)), 0.95).labels[1] is None


def test_equal_scores_are_accepted_together() -> None:
    scores = np.tile([0.6, 0.4], (60, 1))
    classes = (np.arange(60) >= 50).astype(int)  # 50 right ones first, then 10 wrong ones, all of one score
    assert find_thresholds(judged_of(scores, classes, np.zeros(60)), 0.95).labels[0] is None


def test_known_images_are_beyond_the_distance_as_often_as_was_meant() -> None:
    random = np.random.default_rng(0)
    alarms = []
    for _ in range(200):
        distances = random.normal(0.5, 0.1, 100)
        farthest = find_thresholds(
            judged_of(np.eye(2)[np.zeros(100, int)], np.zeros(100, int), distances), 0.95
        ).distance
        alarms.append((random.normal(0.5, 0.1, 1000) > farthest).mean())
    assert 0.04 < np.mean(alarms) < 0.06


def test_with_fewer_than_nineteen_images_no_distance_is_too_far() -> None:
    for count, known in ((18, False), (19, True)):
        found = find_thresholds(judged_of(np.eye(2)[np.zeros(count, int)], np.zeros(count, int), np.ones(count)), 0.95)
        assert (found.distance is not None) is known
