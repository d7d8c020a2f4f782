"""What is sent to the Docker engine, read off .dockerignore; that needs no engine."""

import pytest

from tests import ROOT

PATTERNS = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
SENT = {path for pattern in PATTERNS for path in ROOT.glob(pattern)}
BUILT = ("model", "cluster", "serving", "training")  # the folders that the Dockerfile copies


@pytest.mark.parametrize("folder", BUILT)
def test_every_module_that_is_built_into_an_image_is_sent(folder):
    assert not set((ROOT / folder).rglob("*.py")) - SENT, "name its folder in .dockerignore"


def test_no_other_module_is_sent():
    assert {path.relative_to(ROOT).parts[0] for path in SENT if path.suffix == ".py"} == {"handler.py", *BUILT}
