from itertools import pairwise

import pytest

from tests.support.folded import clouds, folded_of
from training.folds import judge
from training.learning_curve import LearningCurve, learning_curve


def curve_of(counts: list[int], spread: float) -> LearningCurve:
    folded = folded_of(clouds(counts, spread=spread))
    judged = judge(folded)
    assert judged
    return learning_curve(folded, judged)


def test_sizes_are_halved_and_accuracy_grows_with_them() -> None:
    curve = curve_of([400] * 4, 3.0)
    sizes, accuracies = zip(*curve.points, strict=True)
    assert sizes[-1] == 1280  # of 1,600 images each head learns from four fifths
    assert all(larger / smaller == pytest.approx(2, abs=0.05) for smaller, larger in pairwise(sizes))
    assert accuracies[-1] > accuracies[0]


def test_the_forecast_holds_the_accuracy_at_double_the_data() -> None:
    forecast = curve_of([200] * 4, 3.0).forecast
    assert forecast
    low, high = forecast.interval
    assert forecast.size == 1280
    assert low <= curve_of([400] * 4, 3.0).points[-1][1] <= high


def test_where_nothing_is_left_to_gain_nothing_is_foretold() -> None:
    assert curve_of([100] * 3, 0.1).forecast is None


def test_few_images_give_few_sizes_and_no_forecast() -> None:
    curve = curve_of([9] * 6, 2.0)
    assert len(curve.points) == 1
    assert curve.forecast is None
