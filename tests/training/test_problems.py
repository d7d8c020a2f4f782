import pytest

from training.problems import listed


@pytest.mark.parametrize(
    ("count", "end"), [(1, "0"), (20, "18, 19"), (21, "19, 1 more class"), (2020, "19, 2,000 more classes")]
)
def test_of_names_the_first_twenty_are_written_and_the_rest_counted(count: int, end: str) -> None:
    assert listed(map(str, range(count)), "class").endswith(end)
