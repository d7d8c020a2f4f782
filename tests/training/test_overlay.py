import numpy as np

from model.image import SIDE, DecodedImage
from training.overlay import draw_overlay

GREY = DecodedImage(np.full((SIDE, SIDE, 3), 128, np.uint8), 600, 400, "JPEG")


def test_what_speaks_for_the_label_stays_as_it_was_and_the_rest_is_darker() -> None:
    heat = np.full((8, 8), -1, np.float32)
    heat[:, :4] = 5
    drawn = draw_overlay(GREY, heat)
    assert drawn.size == (320, 213)
    assert np.abs(np.asarray(drawn)[:, :100] - 128.0).max() <= 1
    assert np.asarray(drawn)[:, 220:].max() < 64


def test_where_nothing_speaks_for_the_label_all_is_darker() -> None:
    assert np.asarray(draw_overlay(GREY, np.full((8, 8), 0.1, np.float32))).max() < 64
