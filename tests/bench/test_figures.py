import numpy as np
import pytest

from bench.figures import interleaved, of_proportions, percentiles, spread


def test_a_spread_is_the_median_and_where_it_lies_between():
    assert spread([3.0, 1.0, 2.0, 10.0]) == {"median": 2.5, "low": 1.0, "high": 10.0, "n": 4}


def test_percentiles_are_of_all_values():
    assert percentiles(list(range(101))) == {"p50": 50, "p95": 95, "p99": 99, "n": 101}


def test_actions_take_turns_and_no_action_is_always_first():
    order = []
    results = interleaved(4, {name: lambda name=name: order.append(name) or name for name in "ab"})
    assert results == {"a": ["a"] * 4, "b": ["b"] * 4}
    assert "".join(order) == "abbaabba"


def test_a_difference_of_proportions_is_paired():
    ours = np.array([True] * 90 + [False] * 10)
    theirs = np.array([True] * 80 + [False] * 20)  # ours is right on 10 more, theirs on none
    found = of_proportions(ours, theirs)
    assert found["mean"] == pytest.approx(0.10)
    assert 0.02 < found["low"] < 0.10 < found["high"] < 0.18


def test_where_no_image_tells_two_apart_the_interval_is_not_empty():
    same = np.array([True] * 50)
    found = of_proportions(same, same)
    assert found["mean"] == 0
    assert found["low"] < 0 < found["high"]
