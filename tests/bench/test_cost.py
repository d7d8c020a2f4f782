import pytest

from bench.cost import per_thousand


def test_two_gigabytes_for_300_milliseconds_are_a_cent_a_thousand():
    assert per_thousand(2048, 0.3) == pytest.approx(0.0102, abs=1e-4)  # 600 GB-seconds and 1,000 requests
