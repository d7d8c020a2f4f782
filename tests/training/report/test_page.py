import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.decision import Decision
from tests.support.browser import CHROMIUM, chromium
from tests.support.contents import content_of, thresholds, trial
from training.report.content import (
    Bin,
    Calibration,
    Content,
    Copy,
    Curve,
    Mistake,
    Rate,
    Suspect,
    Unfamiliar,
)
from training.report.page import MOST_MISTAKES, MOST_ROWS, render

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style>&amp;{{ 7 * 7 }}")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(4):
        Image.new("RGB", (64, 48), (60 * number, 90, 30)).save(folder / f"{number}.jpg")
    return folder


@pytest.fixture(scope="module")
def page(photos: Path) -> str:
    return render(full(photos, HOSTILE))


def full(photos: Path, labels: tuple[str, ...]) -> Content:
    """A report in which every section has something."""
    size = len(labels)
    confusion = np.diag(np.full(size, 40)) + 1
    one, two, *_ = labels
    mistake = Mistake(photos / "0.jpg", one, two, 0.8, 0.1, Decision.UNCERTAIN, np.eye(8, dtype=np.float32) - 0.2)
    random = np.random.default_rng(0)
    least = tuple(None if number % 3 == 2 else 0.5 for number in range(size))
    return content_of(
        confusion.tolist(),
        labels,
        photos,
        mistakes=(mistake,) * (MOST_MISTAKES + 2),
        suspects=(Suspect(photos / "1.jpg", one, two, 0.01), Suspect(photos / "gone.jpg", two, one, 0.02)),
        suspects_file=Path("runs/flowers-1/suspects.csv"),
        duplicates=((Copy(photos / "2.jpg", one), Copy(photos / "3.jpg", two)),),
        curve=Curve(((40, 0.7), (80, 0.8)), (160, 0.85)),
        unfamiliar=Unfamiliar(0.6, 0.05, random.normal(0.4, 0.1, 100), random.normal(0.9, 0.1, 20), 0.99, "odd"),
        calibration=Calibration((Bin(0.9, Rate(9, 10)),), 0.02, 0.02, 0.03),
        thresholds=thresholds(least, 0.6),
        choices={0.9: (0.0,) * size, 0.95: least},
        set_aside=1,
    )


class Reader(HTMLParser):
    """What a page holds: its elements with their attributes, and the text of each kind of element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_page_needs_nothing_else(page: str) -> None:
    read = Reader(page)
    for _, attributes in read.elements:
        for name in ("src", "href", "srcset", "data", "action"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/webp;base64,"))
    assert not read.all("link")
    assert "url(" not in page.replace("url(#", "")
    assert "@import" not in page


def test_only_the_pages_own_style_and_script_may_run(page: str) -> None:
    read = Reader(page)
    (policy,) = [meta["content"] for meta in read.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [attributes for _, attributes in read.elements if {"style", "onerror", "onclick"} & set(attributes)]


def test_labels_are_text_whatever_they_hold(page: str) -> None:
    read = Reader(page)
    assert [script.get("id") for script in read.all("script")] == ["scores", None]
    assert len(read.all("style")) == 1
    assert not [image for image in read.all("img") if image.get("src") == "x"]
    assert "49" not in re.findall(r"amp;amp;(..)", page)
    assert "&lt;script&gt;alert(1)" in page


def test_every_picture_has_a_text_and_every_slider_a_name(page: str) -> None:
    read = Reader(page)
    assert all("alt" in image for image in read.all("img"))
    sliders = [control for control in read.all("input") if control["type"] == "range"]
    assert [slider["aria-label"] for slider in sliders] == [
        f"Least score at which {label} is accepted" for label in HOSTILE
    ]


def test_every_inner_link_leads_to_a_place(page: str) -> None:
    read = Reader(page)
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    assert {link["href"] for link in read.all("a")} <= {f"#{id}" for id in ids}


def test_what_was_not_measured_has_no_section() -> None:
    page = render(content_of([[9, 1], [1, 9]]))
    for absent in ("Near-duplicates", "Labels to look at", "Worst mistakes", "Pictures of something else", "<script"):
        assert absent not in page
    assert "What is taken for what" in page


def test_a_label_that_no_image_was_of_is_said_not_to_be_measured() -> None:
    assert "of 1 label there is no image" in render(content_of([[60, 0, 0], [1, 60, 0], [0, 0, 0]]))
    assert "there is no image" not in render(content_of([[60, 0], [1, 60]]))


def test_the_curve_of_a_fine_tuned_model_is_said_to_be_of_others() -> None:
    curve = Curve(((40, 0.7), (80, 0.8)), None, tuned=True)
    assert "than this one and were not fine-tuned" in render(content_of([[9, 1], [1, 9]], curve=curve))


def test_an_old_model_has_a_page_too() -> None:
    content = content_of([[9, 1], [1, 9]], training={}, parity={}, images={}, images_by_label={}, sizes={}, seconds={})
    page = render(content)
    assert "range" not in Reader(page).all("input")
    assert "inception_v3" in page


def test_an_image_that_is_gone_leaves_its_place_empty(page: str) -> None:
    assert "cannot be read any more" in page


def test_two_hundred_labels_stay_readable(photos: Path) -> None:
    labels = tuple(f"label {number}" for number in range(200))
    page = render(full(photos, labels))
    assert page.count('<th scope="col"><span>') <= 13
    assert f"The other {200 - MOST_ROWS} labels" in page
    assert len([control for control in Reader(page).all("input") if control["type"] == "range"]) == 200
    assert len(page) < 1_000_000


def test_the_numbers_of_the_script_are_those_of_the_page(page: str) -> None:
    data = json.loads(page.partition('id="scores">')[2].partition("</script>")[0])
    assert data["images"] == 129
    assert len(data["labels"]) == len(data["least"]) == 3


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_in_a_browser_nothing_is_fetched_nothing_overflows_and_sliders_count(photos: Path) -> None:
    content = full(photos, HOSTILE)
    content = replace(content, judged=trial([[30, 10, 0], [5, 35, 0], [0, 0, 40]], sure=0.9))
    (photos / "report.html").write_text(render(content), encoding="utf-8")
    with chromium() as tab:
        problems: list[str] = []
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("console", lambda message: problems.append(message.text))
        tab.on("request", lambda request: problems.append(request.url) if request.url.startswith("http") else None)
        tab.set_viewport_size({"width": 390, "height": 800})
        tab.goto(f"file://{photos / 'report.html'}")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        assert (
            tab.inner_text("#sum") == "66.7\u00a0% of images are answered, and 81.3\u00a0% of these answers are right."
        )
        slider = tab.get_by_label("Least score at which <script>")
        slider.focus()
        slider.press("End")  # never
        assert tab.inner_text("#sum").startswith("37.5\u00a0% of images")
        tab.get_by_label("90\u00a0%", exact=True).check()
        assert tab.inner_text("#sum").startswith("100.0\u00a0% of images")
        assert not problems


PAPERS = {"A4": 210 - 2 * 13, "letter": 216 - 2 * 13}  # mm of width, less @page's margins


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize("width", PAPERS.values(), ids=PAPERS)
def test_on_paper_no_table_is_wider_than_its_panel(photos: Path, width: int) -> None:
    (photos / "paper.html").write_text(render(full(photos, ("dandelion", "sunflowers", "tulips"))), encoding="utf-8")
    with chromium() as tab:
        tab.set_viewport_size({"width": round(width / 25.4 * 96), "height": 800})
        tab.emulate_media(media="print")
        tab.goto(f"file://{photos / 'paper.html'}")
        beyond = (
            "[...document.querySelectorAll('.panel')].filter(panel => panel.scrollWidth > panel.clientWidth).length"
        )
        assert tab.evaluate(beyond) == 0
