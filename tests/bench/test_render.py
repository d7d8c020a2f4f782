from importlib import import_module

import pytest

from bench.picture import picture
from bench.render import BEGIN, DOCS, END, PICTURE, README, SECTIONS, everything, summary, with_block
from bench.results import RESULTS, read_results

FOUND = read_results(RESULTS)


def block_of(page):
    return page.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def test_the_readme_says_what_the_results_say():
    assert block_of(README) == summary(FOUND).strip(), "run: python -m bench render"


def test_the_docs_say_what_the_results_say():
    assert block_of(DOCS) == everything(FOUND).strip(), "run: python -m bench render"


def test_the_picture_shows_what_the_results_say():
    assert not FOUND or PICTURE.read_text() == picture(FOUND), "run: python -m bench render"


def test_only_sections_have_results():
    assert set(FOUND) <= set(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_measures_and_tells(section):
    module = import_module(f"bench.{section}")
    assert callable(module.measure)
    assert callable(module.tables)
    assert callable(module.goals)


def test_a_block_is_replaced_and_the_page_around_it_is_not():
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_block(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="bench:start"):
        with_block("a page", "new")
