import re
from pathlib import Path

import pytest

import ops.scaling
from ops.scaling import PAGE, SIZES, WAYS, Way, cost, hours, page
from tests import ROOT


def test_the_page_says_what_is_computed() -> None:
    assert PAGE.read_text() == page(), "make docs writes it anew"


def test_the_slowest_rate_bounds_a_way() -> None:
    way = Way("w", {"cores": 100, "reads": 10}, thousand="0.5 + 1 / 2", hour="2 × 3", once="7")
    assert (way.bound, way.rate) == ("reads", 10)
    assert hours(way, 36_000) == pytest.approx(1)
    assert cost(way, 36_000) == pytest.approx(36 * 1.0 + 1 * 6 + 7)


def test_a_hundred_times_the_images_take_a_hundred_times_as_long_and_no_way_is_free() -> None:
    for way in WAYS:
        assert hours(way, SIZES[1]) == pytest.approx(100 * hours(way, SIZES[0]))
        assert 0.4 < cost(way, SIZES[0]) < 20, way.name


def test_what_is_deployed_is_what_is_reckoned_with() -> None:
    parameters = (ROOT / "serverless.yml").read_text()
    for name, value in {
        "bulkConcurrency": ops.scaling.CONCURRENCY,
        "uploadsConcurrency": ops.scaling.UPLOADS_CONCURRENCY,
    }.items():
        assert re.search(rf"^    {name}: {value} ", parameters, re.MULTILINE), name


def test_there_is_one_list_of_prices() -> None:
    source = Path(ops.scaling.__file__).read_text()
    assert not re.findall(r"\$ ?\d+\.\d", source), "prices stand in ops/cost.py"
