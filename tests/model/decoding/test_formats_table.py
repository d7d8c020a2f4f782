from tests import ROOT
from tests.model.decoding.formats_table import KINDS, outcome, page


def test_the_page_of_formats_says_what_happens() -> None:
    assert (ROOT / "docs" / "formats.md").read_text() == page()


def test_nothing_is_misread() -> None:
    assert [(kind.format, kind.kind) for kind in KINDS if outcome(kind) == "MISREAD"] == []
