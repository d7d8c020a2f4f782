import numpy as np

from model.decision import Thresholds
from training.console import evaluation_page
from training.evaluation import decisions, metrics


def test_where_no_answer_is_accepted_nothing_is_said_of_their_precision() -> None:
    scores, classes = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32), np.array([0, 1])
    found = metrics(scores, classes, ("a", "b"))
    found["decisions"] = decisions(scores, None, classes, Thresholds(0.95, (None, None), None, 0.05))
    page = evaluation_page(found, "")
    assert "accepted    0.0% (0.0% – 65.8%) of the answers; called unknown 0.0%" in page
    found["decisions"] = decisions(scores, None, classes, Thresholds(0.95, (0.5, 0.5), None, 0.05))
    assert "of the answers, of these right 100.0%" in evaluation_page(found, "")
