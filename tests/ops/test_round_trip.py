import pytest

from ops.round_trip import Sample, round_trip


@pytest.mark.parametrize("body", [{}, {"labels": []}, [], {"labels": "x"}, {"labels": [{"name": "red"}]}])
def test_an_answer_of_something_else_is_an_error(body):
    [finding] = round_trip(Sample(b"", ["red"], 1, 0), lambda image: (200, body))
    assert "answered by something else" in finding.what
