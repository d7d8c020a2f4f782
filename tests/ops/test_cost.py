import re

import pytest

from ops.cost import PAGE, TABLES, dollars, page, total
from tests import ROOT


def test_the_page_says_what_the_price_list_gives() -> None:
    assert PAGE.read_text() == page(), "make docs writes it anew"


@pytest.mark.parametrize(
    ("arithmetic", "expected"),
    [("1,000 × 3.5 / 1,000,000", 0.0035), ("3 s × 1.7275 GB × 0.5", 2.59125), ("10 × 0.1", 1.0), ("8 / 2 / 2", 2.0)],
)
def test_a_line_is_computed_as_it_is_written(arithmetic: str, expected: float) -> None:
    assert dollars(arithmetic) == pytest.approx(expected)


def test_the_readme_and_the_parameters_name_the_computed_figures() -> None:
    readme, parameters = (ROOT / "README.md").read_text(), (ROOT / "serverless.yml").read_text()
    assert f"${total('1,000 images over HTTPS'):.4f}" in readme
    assert f"${total('1,000 images put into the bucket'):.4f}" in readme
    assert f"${1000 * total('1,000 images by the state machine'):.2f} a million" in readme
    assert f"${total('standing still, a month'):.2f}" in readme
    extra = {what: dollars(arithmetic) for what, arithmetic in TABLES["what may come on top"].items()}
    monthly = re.findall(r"about \$(\d+\.\d\d) a month", parameters)
    assert [float(found) for found in monthly] == [
        pytest.approx(extra["a provisioned instance, a month"], abs=0.005),
        pytest.approx(extra["SnapStart, a published version, a month"], abs=0.005),
    ]
