from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.contents import content_of, thresholds, trial
from training.report.acceptance import UNIT, accepted, accepted_of, page_data, ranked
from training.report.content import Trial

JUDGED = Trial(
    np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55]], np.float32),
    np.array([0, 0, 1, 1, 0]),
    np.array([0.1, 0.1, 0.1, 0.9, 0.1], np.float32),
    "five",
)


def test_thresholds_split_answers_into_accepted_and_not() -> None:
    found = accepted(JUDGED, thresholds((0.7, 0.5), None))
    assert (found.answered.hits, found.answered.n) == (4, 5)
    assert (found.precision.hits, found.precision.n) == (2, 4)
    assert (found.recall.hits, found.recall.n) == (2, 5)


def test_what_is_too_far_is_never_accepted() -> None:
    found = accepted(JUDGED, thresholds((0.7, 0.5), 0.5))
    assert (found.answered.hits, found.precision.hits) == (3, 1)


def test_a_label_without_threshold_is_never_accepted() -> None:
    assert accepted(JUDGED, thresholds((None, None), None)).answered.hits == 0


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=50), st.floats(0, 1, width=32))
def test_millionths_decide_as_the_scores_do(scores: list[float], least: float) -> None:
    rows = np.array([[score, 0.0] for score in scores], np.float32)
    judged = Trial(rows, np.zeros(len(rows), np.int64), None, "")
    label = ranked(judged, thresholds((least, None), None))[0]
    exact = sum(score >= least for score in scores)
    close = sum(abs(score - least) < 1 / UNIT for score in scores)
    assert exact <= accepted_of(label, least).answered.hits <= exact + close


def test_the_page_gets_numbers_only() -> None:
    own, choices = thresholds((0.5, None)), {0.9: (0.25, 0.5), 0.95: (0.5, None)}
    data = page_data(replace(content_of([[3, 1], [0, 4]], ("<b>", "&")), judged=JUDGED, choices=choices), own)
    assert data["least"] == [500_000, None]
    assert data["choices"] == [[250_000, 500_000], [500_000, None]]
    assert data["labels"][0]["images"] == 3
    assert [len(data["labels"][0][part]) for part in ("right", "wrong")] == [2, 1]


def test_every_answer_of_a_perfect_model_is_right() -> None:
    found = accepted(trial([[5, 0], [0, 5]]), thresholds((0.5, 0.5), None))
    assert found.precision.value == found.answered.value == 1
