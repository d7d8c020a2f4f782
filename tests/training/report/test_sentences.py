import pytest

from tests.support.contents import said
from training.report.sentences import Label, listed, percent


def test_labels_keep_being_labels_inside_a_sentence() -> None:
    assert [part for part in listed(["a", "b", "c"]) if isinstance(part, Label)] == ["a", "b", "c"]
    assert said(listed(["a", "b", "c"])) == "a, b and c"


@pytest.mark.parametrize(
    ("share", "digits", "shown"),
    [
        (0, 0, "0 %"),
        (1, 0, "100 %"),
        (0.999, 0, "99 %"),
        (0.0001, 0, "less than 1 %"),
        (0.9996, 1, "99.9 %"),
        (0.912, 1, "91.2 %"),
    ],
)
def test_a_share_is_not_rounded_to_all_or_nothing(share: float, digits: int, shown: str) -> None:
    assert percent(share, digits).replace("\u00a0", " ") == shown
