"""What many tests share: a tiny real model, made once a session, and the folder of real photos and weights where there is one."""

import os
from pathlib import Path

import pytest

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before TensorFlow is imported by whichever test comes first
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"  # no test looks for credentials on a network

SHARED = Path(os.environ.get("SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real flower photos, Inception v3 weights and odd images: too large, and not ours, to be part of this repository."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the real photos and weights at {SHARED} (SHARED_DATA names another place)")
    return SHARED


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of a published three-label model that both engines run: <store>/tiny."""
    from tests.tiny import retrain_tiny

    return retrain_tiny(tmp_path_factory.mktemp("tiny"))[0]
