import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.decision import Decision, Thresholds, decide
from model.engine import Outputs
from tests.support.fakes import THRESHOLDS, colour_classifier

SHARES = st.floats(0, 1)


def thresholds(*labels: float | None, distance: float | None = 0.8) -> Thresholds:
    return Thresholds(0.95, labels, distance, 0.05)


@pytest.mark.parametrize(
    ("scores", "distance", "decision"),
    [
        ([0.9, 0.1], 0.5, Decision.ACCEPTED),
        ([0.7, 0.3], 0.5, Decision.ACCEPTED),
        ([0.69, 0.31], 0.5, Decision.UNCERTAIN),
        ([0.31, 0.69], 0.5, Decision.ACCEPTED),  # each label has its own
        ([0.9, 0.1], 0.81, Decision.UNKNOWN),
        ([0.9, 0.1], 0.8, Decision.ACCEPTED),
        ([0.9, 0.1], float("nan"), Decision.UNKNOWN),
        ([0.9, 0.1], None, Decision.ACCEPTED),  # a compiled model without distances
    ],
)
def test_an_answer_is_accepted_by_its_own_labels_threshold_and_its_distance(scores, distance, decision):
    assert decide(thresholds(0.7, 0.4), np.array(scores, np.float32), distance) is decision


def test_a_label_that_never_reaches_the_precision_is_always_uncertain():
    assert decide(thresholds(None, 0.4), np.array([1, 0], np.float32), 0) is Decision.UNCERTAIN


def test_where_too_few_images_say_what_is_far_nothing_is_unknown():
    assert decide(thresholds(0.5, 0.5, distance=None), np.array([1, 0], np.float32), 9) is Decision.ACCEPTED


@given(st.lists(SHARES, min_size=2, max_size=5), SHARES, SHARES, SHARES)
def test_a_stricter_threshold_accepts_no_more(scores, distance, least, more):
    found, labels = np.array(scores, np.float32), len(scores)
    lenient, strict = (thresholds(*[value] * labels) for value in sorted([least, more]))
    if decide(strict, found, distance) is Decision.ACCEPTED:
        assert decide(lenient, found, distance) is Decision.ACCEPTED


def test_a_model_without_thresholds_decides_nothing():
    outputs = Outputs(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
    assert colour_classifier().decisions(outputs) == [None] * 3


def test_each_image_is_judged_by_its_own_distance():
    outputs = Outputs(np.eye(3, dtype=np.float32), np.array([0, 1, 0], np.float32))
    decisions = colour_classifier(THRESHOLDS).decisions(outputs)
    assert decisions == [Decision.ACCEPTED, Decision.UNKNOWN, Decision.ACCEPTED]
    assert colour_classifier(THRESHOLDS).decisions(Outputs(outputs.scores)) == [Decision.ACCEPTED] * 3
