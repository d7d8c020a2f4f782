import pytest

from bench.render import BEGIN, DOCS, END, README, everything, summary, with_block
from bench.results import RESULTS, read_results
from bench.sections import SECTIONS

FOUND = read_results(RESULTS)


def block_of(page):
    return page.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def test_the_readme_says_what_the_results_say():
    assert block_of(README) == summary(FOUND).strip(), "run: python -m bench render"


def test_the_docs_say_what_the_results_say():
    assert block_of(DOCS) == everything(FOUND).strip(), "run: python -m bench render"


def test_every_section_has_results_and_nothing_else_has():
    assert set(FOUND) == set(SECTIONS)


def test_the_readme_shows_four_comparisons():
    assert len([line for line in summary(FOUND).splitlines() if line.endswith("× |")]) == 4


@pytest.mark.parametrize("section", SECTIONS)
def test_a_goal_that_is_missed_says_why(section):
    assert all(goal.met or goal.reason for goal in SECTIONS[section].goals(FOUND[section]["found"]))


def test_a_block_is_replaced_and_the_page_around_it_is_not():
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_block(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="bench:start"):
        with_block("a page", "new")
