from pathlib import Path

import pytest

CASES = Path(__file__).parents[4] / "shared" / "cases" / "training"


@pytest.fixture(scope="session")
def training_cases() -> Path:
    """Inputs that other decoders misread; too large, and not ours, to be part of this repository."""
    if not CASES.is_dir():
        pytest.skip(f"needs the misread images at {CASES}")
    return CASES
