import numpy as np
import pytest

from training.evaluation import interval, metrics, sentence


def test_counts_are_summed_and_divided_once() -> None:
    scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]], np.float32)
    found = metrics(scores, np.array([0, 0, 1, 1]), ("a", "b"))
    assert found["n"] == 4
    assert found["accuracy"] == 0.75
    assert found["balanced_accuracy"] == 0.75
    assert found["confusion"] == [[2, 0], [1, 1]]
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.6, 0.8, 0.3]).mean())


def test_the_interval_is_wilsons() -> None:
    # The worked example of Newcombe (1998), Statistics in Medicine 17: 81 of 263 gives 0.2553 – 0.3662.
    assert interval(81, 263) == pytest.approx([0.2553, 0.3662], abs=1e-4)
    assert interval(10, 10)[1] == 1


def test_a_class_that_is_not_there_does_not_count_in_the_balanced_accuracy() -> None:
    scores = np.eye(3, dtype=np.float32)[[0, 0, 1]]
    assert metrics(scores, np.array([0, 0, 1]), ("a", "b", "c"))["balanced_accuracy"] == 1


def test_an_accuracy_is_written_with_its_n_and_interval() -> None:
    found = {"n": 1101, "accuracy": 0.8932, "accuracy_interval": [0.8734, 0.9101]}
    assert sentence(found) == "89.3% of N = 1,101 (95 % interval 87.3% – 91.0%)"
