import numpy as np
import pytest

from tests.support.contents import answers
from training.report.content import Answers
from training.report.reliability import calibration


def drawn(n: int, honest: float, seed: int = 1) -> Answers:
    """Two labels; answers score between 0.5 and 1, and are right `honest` times as often as they say, at most always."""
    random = np.random.default_rng(seed)
    first = random.uniform(0.5, 1, n)
    right = random.random(n) < np.minimum(first * honest, 1)
    return Answers(np.column_stack([first, 1 - first]).astype(np.float32), np.where(right, 0, 1), None, "drawn")


def test_a_perfect_model_shows_no_more_than_the_noise_floor() -> None:
    found = calibration(drawn(551, 1))
    assert found.error == pytest.approx(found.floor, abs=0.02)
    assert 0.02 < found.floor < 0.05


def test_the_noise_floor_falls_with_more_images() -> None:
    assert calibration(drawn(20_000, 1)).floor < calibration(drawn(200, 1)).floor / 5


def test_a_model_that_promises_too_much_stands_out() -> None:
    found = calibration(drawn(2000, 0.7))
    assert found.error > 5 * found.floor


def test_bins_hold_every_answer_once_a_score_of_one_too() -> None:
    found = calibration(answers([[5, 0], [1, 4]], sure=1.0))
    assert [(one.confidence, one.right.hits, one.right.n) for one in found.bins] == [(1.0, 9, 10)]
    assert found.error == pytest.approx(0.1)
    assert found.floor == 0
