import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.answers import Answers
from training.comparison import Change, compare_answers, sentence
from training.console import MOST_ROWS, changes_table
from training.dataset import Example

EXAMPLES = tuple(Example(Path(f"/set/{i}.jpg"), "ab"[i % 2], f"{i}", f"{i}") for i in range(40))


def answers(right: int, labels: tuple[str, ...] = ("a", "b")) -> Answers:
    """The first `right` images are named rightly."""
    classes = np.array([labels.index(example.label) for example in EXAMPLES])
    named = np.where(np.arange(40) < right, classes, (classes + 1) % len(labels))
    scores = np.full((40, len(labels)), 0.1, np.float32)
    scores[np.arange(40), named] = 0.9
    return Answers(EXAMPLES, labels, classes, scores, None)


def test_what_improved_and_what_regressed_is_named() -> None:
    found = compare_answers(answers(30), answers(34))
    assert [change.path for change in found.improved] == [EXAMPLES[i].path for i in range(30, 34)]
    assert not found.regressed
    assert found.gain == 0.1
    assert found.gain_interval[0] < 0.1 < found.gain_interval[1]
    assert found.log_loss_change < 0


def test_a_model_is_worse_when_chance_hardly_explains_it() -> None:
    assert compare_answers(answers(38), answers(20)).worse
    assert not compare_answers(answers(38), answers(37)).worse
    assert not compare_answers(answers(20), answers(38)).worse
    assert "worse; 0 improved, 18 regressed" in sentence(compare_answers(answers(38), answers(20)))


def test_models_may_have_their_labels_in_another_order_and_others_too() -> None:
    found = compare_answers(answers(30), answers(30, ("c", "b", "a")))
    assert found.gain == 0
    assert not found.improved


def test_a_comparison_can_be_written_as_json() -> None:
    found = json.loads(json.dumps(compare_answers(answers(30), answers(28)).described(Path("/set"))))
    assert found["regressed"][0] == {"path": "28.jpg", "label": "a", "before": "a", "after": "b"}


def test_of_many_changes_the_rest_is_counted() -> None:
    change = Change(Path("/set/x.jpg"), "a", "a", "b")
    found = replace(compare_answers(answers(30), answers(30)), regressed=(change,) * (MOST_ROWS + 7))
    assert changes_table(found, Path("/set")).endswith("… and 7 more: --json lists them all")


def test_where_nothing_changed_nothing_is_said_of_wrong_names() -> None:
    assert (
        changes_table(compare_answers(answers(30), answers(30)), Path("/set")) == "Both name the same images rightly."
    )
