import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.contents import content_of, said, thresholds
from training.report.steps import next_steps
from training.report.verdict import Level, judge


@pytest.mark.parametrize(
    ("labels", "confusion", "level", "sentence"),
    [
        ("cats dogs", [[95, 5], [4, 96]], "Ready", "Good enough to tell cats from dogs."),
        ("a b c", [[95, 5, 0], [5, 95, 0], [0, 0, 50]], "Ready", "Good enough to name all 3 labels."),
        ("a b c", [[50, 0, 0], [0, 50, 0], [0, 0, 50]], "Ready", "Good enough to name all 3 labels."),
        (
            "daisies roses tulips",
            [[98, 1, 1], [1, 80, 19], [1, 21, 78]],
            "Ready in part",
            "Good enough to name daisies; roses and tulips are taken for each other.",
        ),
        (
            "daisies roses tulips",
            [[98, 1, 1], [0, 99, 1], [0, 30, 70]],
            "Ready in part",
            "Good enough to name daisies; tulips is taken for roses.",
        ),
        (
            "a b c d e f",
            [
                [97, 1, 1, 1, 0, 0],
                [0, 96, 1, 1, 1, 1],
                [1, 1, 94, 1, 1, 2],
                [0, 0, 0, 95, 3, 2],
                [0, 1, 1, 1, 96, 1],
                [3, 3, 3, 3, 3, 85],
            ],
            "Ready in part",
            "Good enough to name 5 of 6 labels",
        ),
        (
            "a b",
            [[60, 40], [40, 60]],
            "Not yet",
            "Not good enough yet, with 60 % right; a and b are taken for each other.",
        ),
        ("a b", [[48, 2], [0, 0]], "Too early to say", "Only a was to be named; it named 48 of 50 images right."),
        ("a b", [[50, 50], [50, 50]], "Not yet", "Not shown to be better than guessing: 100 of 200 are right"),
        (
            "a b",
            [[3, 1], [0, 4]],
            "Too early to say",
            "Too few images to say how good it is; it named 7 of 8 images right.",
        ),
        ("a b c", [[60, 0, 0], [0, 60, 0], [1, 0, 3]], "Ready in part", "; of c there are too few images to say."),
    ],
)
def test_the_verdict_is_one_sentence(labels: str, confusion: list[list[int]], level: str, sentence: str) -> None:
    verdict = judge(content_of(confusion, tuple(labels.split())))
    assert verdict.level == level
    assert sentence in said(verdict.sentence)
    assert said(verdict.sentence).count(".") == 1


def test_one_good_label_of_many_makes_no_useful_model() -> None:
    confusion = [[100 if i == j == 0 else 60 if i == j else 4 if i else 0 for j in range(10)] for i in range(10)]
    assert judge(content_of(confusion)).level is Level.NOT_YET


@given(st.lists(st.lists(st.integers(0, 60), min_size=3, max_size=3), min_size=3, max_size=3))
def test_whatever_was_counted_there_is_a_sentence_and_every_step_says_why(confusion: list[list[int]]) -> None:
    if not any(map(sum, confusion)):
        return
    content = content_of(confusion, thresholds=thresholds((0.9, None, 0.5), None))
    assert said(judge(content).sentence).endswith(".")
    for step in next_steps(content):
        assert said(step.what)
        assert said(step.why)
