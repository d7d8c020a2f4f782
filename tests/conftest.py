"""What many tests share: a tiny real model, made once a session, and the folder of real photos and weights where there is one."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

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
    from tests.support.tiny import retrain_tiny

    return retrain_tiny(tmp_path_factory.mktemp("tiny"))[0]


@pytest.fixture(scope="session")
def aws_server() -> Iterator[str]:
    """The address of a local AWS (moto's server)."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(aws_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, empty, for whatever this test and its processes call through boto3."""
    urlopen(Request(f"{aws_server}/moto-api/reset", method="POST")).close()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_server)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it would remember another test's credentials
    return aws_server
