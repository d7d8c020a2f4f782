import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.heat_map import heat_map

LOGITS = st.floats(-20, 20, width=32)


@given(arrays(np.float32, (8, 8, 3), elements=LOGITS))
def test_the_mean_over_places_is_the_log_odds_of_the_first_label_against_the_mean_of_all(maps):
    logits = maps.mean(axis=(0, 1))
    heat = heat_map(maps, logits)  # softmax keeps the order
    assert heat.shape == (8, 8)
    assert np.isclose(heat.mean(), logits.max() - logits.mean(), atol=1e-4)


@given(arrays(np.float32, (8, 8, 3), elements=LOGITS), arrays(np.float32, (8, 8, 1), elements=LOGITS))
def test_what_is_added_to_all_labels_alike_changes_nothing(maps, constant):
    scores = np.array([0.2, 0.5, 0.3], np.float32)
    assert np.allclose(heat_map(maps + constant, scores), heat_map(maps, scores), atol=1e-4)
