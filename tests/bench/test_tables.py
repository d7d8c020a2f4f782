import pytest

from bench.section import Comparison
from bench.tables import cell, figure, ratio, table, versus


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.00123, "0.00123"),
        (0.456, "0.456"),
        (4.567, "4.57"),
        (45.67, "45.7"),
        (4567.8, "4,568"),
        (96, "96"),
    ],
)
def test_a_figure_has_the_digits_it_deserves(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"median": 2.5, "low": 1.0, "high": 10.0, "n": 4}, "**2.5** (1 – 10)"),
        ({"p50": 15.9, "p95": 19.13, "p99": 23.2, "n": 100}, "15.9 / 19.1"),
        ({"mean": 0.012, "low": -0.001, "high": 0.025, "n": 10}, "+1.2 (-0.1 … +2.5)"),  # points
        ({"share": 0.8525}, "85.2%"),
        ("killed", "killed"),
        (None, "–"),
        (0.5, "0.5"),
    ],
)
def test_a_cell_shows_each_kind_of_figure_as_it_is_read(value, text):
    assert cell(value) == text


def test_a_ratio_is_of_the_more_to_the_less():
    assert ratio(12.0, 4.0) == "3 ×"
    assert versus(Comparison("start", 4.0, "a baseline", 12.0, "s")) == "3 × (4 s against 12 s)"


def test_a_table_puts_figures_to_the_right_and_shows_what_is_missing():
    rows = {"cold": {"s": 0.5, "by": "clock"}, "warm": {"s": 1.5, "by": "clock", "ms": 2}}
    assert table("what", rows) == (
        "| what | s | by | ms |\n| --- | ---: | --- | ---: |\n| cold | 0.5 | clock | – |\n| warm | 1.5 | clock | 2 |"
    )
