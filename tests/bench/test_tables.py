import pytest

from bench.tables import difference, figure, ratio, spread, table


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


def test_a_spread_shows_from_where_to_where():
    assert spread({"median": 2.5, "low": 1.0, "high": 10.0, "n": 4}, " s") == "**2.5** s (1 – 10)"


def test_a_difference_is_in_points_with_its_interval():
    assert difference({"mean": 0.012, "low": -0.001, "high": 0.025, "n": 10}) == "+1.2 (-0.1 … +2.5)"


def test_a_ratio_is_of_the_more_to_the_less():
    assert ratio(12.0, 4.0) == "3 ×"


def test_a_table_puts_figures_to_the_right():
    assert table(["what", "s"], [["cold", "0.5"]]) == "| what | s |\n| --- | ---: |\n| cold | 0.5 |"
