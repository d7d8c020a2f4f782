import numpy as np

from training.report.matrix import MOST, OTHERS, SHADES, readable


def test_few_labels_are_all_shown_in_score_order() -> None:
    found = readable(np.array([[8, 2], [0, 10]]), ("a", "b"))
    assert found.labels == ("a", "b")
    assert [[cell.count for cell in row.cells] for row in found.rows] == [[8, 2], [0, 10]]
    assert [cell.kind for cell in found.rows[0].cells] == ["right", "wrong"]
    assert not found.rest


def test_the_darkest_cell_holds_the_whole_row() -> None:
    cells = readable(np.array([[10, 0], [1, 99]]), ("a", "b")).rows
    assert cells[0].cells[0].shade == SHADES - 1
    assert 0 < cells[1].cells[0].shade < SHADES - 1 or cells[1].cells[0].shade == 0


def test_of_two_hundred_labels_the_most_confused_stand_side_by_side_and_nothing_is_lost() -> None:
    counts = np.diag(np.full(200, 20))
    counts[150, 3] = counts[3, 150] = 9
    counts[70, 71] = 5
    found = readable(counts, tuple(f"label {i}" for i in range(200)))
    assert found.labels == ("label 3", "label 150", "label 70", "label 71", OTHERS)
    assert sum(cell.count for row in found.rows for cell in row.cells) == counts.sum()
    assert found.rows[-1].cells[-1].kind == "others"


def test_never_more_labels_than_fit() -> None:
    random = np.random.default_rng(0).integers(0, 5, (200, 200))
    assert len(readable(random, tuple(map(str, range(200)))).labels) == MOST + 1
