import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from model.decision import Thresholds
from training.evaluation import decisions, interval, metrics, sentence, unknown


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


def scored(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores (N, 4) of a perfect model, and the truth drawn from them."""
    random = np.random.default_rng(seed)
    scores = random.dirichlet([0.6] * 4, rows)
    return scores.astype(np.float32), np.array([random.choice(4, p=row) for row in scores])


def test_figures_of_each_class_are_those_of_scikit_learn_with_intervals_around_them() -> None:
    scores, classes = scored(400)
    found = metrics(scores, classes, tuple("abcd"))["per_class"]
    expected = precision_recall_fscore_support(classes, scores.argmax(axis=1))
    for i, label in enumerate("abcd"):
        for name, values in zip(("precision", "recall", "f1"), expected, strict=False):
            assert found[label][name]["value"] == pytest.approx(values[i])
            low, high = found[label][name]["interval"]
            assert low < values[i] < high
        assert found[label]["n"] == expected[3][i]


def test_a_class_that_is_never_named_has_no_precision() -> None:
    found = metrics(np.array([[0.9, 0.1]] * 3, np.float32), np.array([0, 1, 1]), ("a", "b"))["per_class"]["b"]
    assert found["precision"] is None
    assert found["recall"]["value"] == 0
    assert found["f1"]["value"] == 0


def test_the_log_loss_has_an_interval() -> None:
    scores, classes = scored(400)
    found = metrics(scores, classes, tuple("abcd"))
    low, high = found["log_loss_interval"]
    assert low < found["log_loss"] < high
    assert metrics(scores[:1], classes[:1], tuple("abcd"))["log_loss_interval"] is None


def test_of_two_images_the_log_loss_is_hardly_known_but_not_negative() -> None:
    found = metrics(np.array([[0.9, 0.1], [0.01, 0.99]], np.float32), np.array([0, 0]), ("a", "b"))
    low, high = found["log_loss_interval"]
    assert low == 0
    assert high > 4 * found["log_loss"]  # Student's t: a normal distribution would say less than 3


def test_the_right_label_is_counted_among_the_best() -> None:
    scores = np.array([[0.4, 0.3, 0.2, 0.1]] * 4, np.float32)
    assert metrics(scores, np.array([0, 1, 2, 3]), tuple("abcd"))["top_k"]["3"]["value"] == 0.75
    assert "5" not in metrics(scores, np.array([0, 1, 2, 3]), tuple("abcd"))["top_k"]


@pytest.mark.parametrize("rows", [100, 1000])
def test_a_perfect_model_is_off_by_no_more_than_the_floor_says(rows: int) -> None:
    found = [metrics(*scored(rows, seed), tuple("abcd"))["calibration"] for seed in range(30)]
    assert np.mean([one["ece"] for one in found]) == pytest.approx(np.mean([one["floor"] for one in found]), rel=0.25)
    assert sum(one["ece"] > one["floor_95"] for one in found) <= 6


def test_an_overconfident_model_is_off_by_more_than_the_floor() -> None:
    scores, classes = scored(1000)
    sharper = scores**4 / (scores**4).sum(axis=1, keepdims=True)
    found = metrics(sharper, classes, tuple("abcd"))["calibration"]
    assert found["ece"] > 2 * found["floor_95"]
    assert sum(one["n"] for one in found["bins"]) == 1000


def test_decisions_are_counted_with_their_intervals() -> None:
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.9, 0.1]], np.float32)
    thresholds = Thresholds(0.95, (0.8, None), 0.5, 0.05)
    found = decisions(scores, np.array([0.1, 0.1, 0.1, 0.9]), np.array([0, 1, 0, 0]), thresholds)
    assert found["accepted"]["value"] == 0.5
    assert found["precision"]["value"] == 0.5
    assert found["false_alarms"]["value"] == 0.25


def test_unknown_images_are_told_by_their_distances() -> None:
    found = unknown(np.array([0.1, 0.2, 0.3]), np.array([0.25, 0.9]), Thresholds(0.95, (None,), 0.5, 0.05))
    assert found["auroc"] == pytest.approx(5 / 6)
    assert found["found"]["value"] == 0.5
