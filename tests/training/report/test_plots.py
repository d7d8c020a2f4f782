import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from training.report.content import Bin, Calibration, Curve, Rate, Unfamiliar
from training.report.plots import TONES, calibration_plot, curve_plot, distance_plot, unknown_plot

RANDOM = np.random.default_rng(0)
FAR = Unfamiliar(0.6, 0.05, RANDOM.normal(0.4, 0.1, 300), RANDOM.normal(0.9, 0.1, 40), 0.99, "odd")
DRAWN = {
    "curve": lambda: curve_plot(Curve(((40, 0.7), (80, 0.8), (160, 0.85)), (320, 0.87))),
    "calibration": lambda: calibration_plot(
        Calibration((Bin(0.4, Rate(2, 5)), Bin(0.9, Rate(50, 55))), 0.03, 0.02, 0.03)
    ),
    "distances": lambda: distance_plot(FAR),
    "unknown": lambda: unknown_plot(FAR),
}


@pytest.fixture(scope="module", params=DRAWN)
def drawing(request: pytest.FixtureRequest) -> str:
    return DRAWN[request.param]()


def test_a_drawing_has_no_style_of_its_own_and_names_its_colours(drawing: str) -> None:
    assert "style" not in drawing
    assert not set(re.findall(r"#[0-9a-f]{6}", drawing)) - {"#ffffff"}
    assert re.search(r'class="[^"]*(fill|stroke)-leaf', drawing)


def test_its_text_is_text(drawing: str) -> None:
    assert [element.text for element in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]


def test_its_references_lead_inside_it(drawing: str) -> None:
    ids = re.findall(r' id="([^"]+)"', drawing)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"#([\w-]+)[)\"]", drawing)) <= set(ids)


def test_the_same_values_give_the_same_drawing() -> None:
    assert DRAWN["curve"]() == DRAWN["curve"]()


def test_identifiers_of_two_drawings_never_meet() -> None:
    one, two = (set(re.findall(r' id="([^"]+)"', DRAWN[name]())) for name in ("curve", "distances"))
    assert not one & two


def test_a_curve_without_forecast_is_drawn() -> None:
    assert "<svg" in curve_plot(Curve(((40, 0.5), (80, 0.5)), None))


def test_every_tone_is_one_colour() -> None:
    assert len(set(TONES.values())) == len(TONES)
