import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.familiarity import DIRECTIONS, distances, fit_familiarity


def flat(count: int, seed: int, rank: int = 10, width: int = 200) -> np.ndarray:
    """Features near a subspace of few dimensions, all of them positive as an activation is."""
    random = np.random.default_rng(seed)
    basis = np.random.default_rng(99).normal(size=(rank, width))
    return np.abs(1 + random.normal(0, 0.2, (count, rank)) @ basis / 10).astype(np.float32)


@pytest.mark.parametrize("count", [120, 600])  # fewer and more images than features
def test_what_was_taught_is_near_and_something_else_is_far(count: int) -> None:
    familiarity = fit_familiarity(flat(count, 0))
    other = np.abs(np.random.default_rng(1).normal(1, 0.5, (50, 200))).astype(np.float32)
    assert distances(flat(50, 2), familiarity).max() < distances(other, familiarity).min() / 5


@pytest.mark.parametrize("count", [1, 3, 8, 120, 600])
def test_the_directions_are_orthonormal_and_no_more_than_a_quarter_of_the_images(count: int) -> None:
    directions = fit_familiarity(flat(count, 0)).directions
    assert directions.shape == (200, max(1, min(DIRECTIONS, count // 4)))
    assert directions.dtype == np.float32
    assert np.allclose(directions.T @ directions, np.eye(directions.shape[1]), atol=1e-5)


@pytest.mark.parametrize("count", [120, 600])
def test_the_distance_is_the_norm_of_what_the_directions_leave(count: int) -> None:
    familiarity, features = fit_familiarity(flat(count, 0)), flat(20, 3)
    y = features / np.linalg.norm(features, axis=1, keepdims=True) - familiarity.mean
    left = y - y @ familiarity.directions @ familiarity.directions.T
    assert np.allclose(distances(features, familiarity), np.linalg.norm(left, axis=1), atol=1e-4)


def test_two_fits_are_the_same() -> None:
    one, two = (fit_familiarity(flat(120, 0)) for _ in range(2))
    assert (one.mean == two.mean).all()
    assert (one.directions == two.directions).all()


@given(st.integers(1, 9), st.floats(0, 100, width=32))
def test_features_that_are_all_alike_or_nothing_have_a_distance(count: int, value: float) -> None:
    features = np.full((count, 12), value, np.float32)
    found = distances(features, fit_familiarity(features))
    assert np.isfinite(found).all()
    assert (found < 1e-3).all()


@given(st.floats(0.0625, 128, width=32))
def test_brightness_of_all_features_alike_changes_no_distance(factor: float) -> None:
    familiarity = fit_familiarity(flat(120, 0))
    assert np.allclose(distances(flat(5, 1) * factor, familiarity), distances(flat(5, 1), familiarity), atol=1e-4)
