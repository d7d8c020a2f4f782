import errno
import os

import pytest

from training.problems import listed, why_unread


@pytest.mark.parametrize(
    ("count", "end"), [(1, "0"), (20, "18, 19"), (21, "19, 1 more class"), (2020, "19, 2,000 more classes")]
)
def test_of_names_the_first_twenty_are_written_and_the_rest_counted(count: int, end: str) -> None:
    assert listed(map(str, range(count)), "class").endswith(end)


def test_of_what_cannot_be_read_the_reason_and_the_remedy_are_said() -> None:
    error = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "rose")
    assert why_unread(error) == "cannot be read (Permission denied); give yourself permission, or move it"
