"""What many tests share: a tiny real model, made once a session, and the folder of real photos and weights where there is one."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.support.clouds import Cloud

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before TensorFlow is imported by whichever test comes first
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"  # no test looks for credentials on a network

settings.register_profile("any machine", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("any machine")

TESTS = Path(__file__).parent
# What `make test-fast` goes without: whatever trains, or needs a server, a browser, Docker, a local AWS or real data.
SLOW_FIXTURES = {
    "aws_server",
    "azurite",
    "cli_installed",
    "engine",
    "google_storage",
    "local_aws",
    "shared_data",
    "tab",
    "tiny_model",
}
SLOW_PARAMETERS = {"azurite", "google_storage", "s3"}  # of fixtures that ask for a server in these cases only
SLOW_PLACES = (
    "bench",
    "cluster",
    "deploy",
    "fuzz",
    "model/decoding/test_alone.py",
    "model/decoding/test_bounds.py",
    "model/decoding/test_formats_table.py",
    "model/decoding/test_incomplete.py",
    "model/decoding/test_tiff.py",
    "model/stores",
    "model/test_aws_errors.py",
    "model/test_engine.py",
    "ops/bulk",
    "runtime",
    "serving/http/dialects",
    "serving/http/test_bodies.py",
    "serving/http/test_content_codings.py",
    "serving/http/test_events.py",
    "serving/http/test_forms.py",
    "serving/http/test_framing.py",
    "serving/http/test_schemathesis.py",
    "serving/test_main.py",
    "serving/uploads/test_chain.py",
    "serving/uploads/test_claims.py",
    "serving/uploads/test_envelopes.py",
    "serving/uploads/test_spoilt_events.py",
    "test_handler.py",
    "training",
)

SHARED = Path(os.environ.get("SHARED_DATA", TESTS.parents[1] / "shared" / "data"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if is_slow_place(item.path) or needs(item) & SLOW_FIXTURES or cases(item) & SLOW_PARAMETERS:
            item.add_marker(pytest.mark.slow)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Importing tests takes seconds too, where they import TensorFlow."""
    return True if config.option.markexpr == "not slow" and is_slow_place(collection_path) else None


def is_slow_place(path: Path) -> bool:
    return any(path.is_relative_to(TESTS / place) for place in SLOW_PLACES)


def needs(item: pytest.Item) -> set[str]:
    """The fixtures that a test asks for, and those that these ask for."""
    return set(getattr(item, "fixturenames", ()))


def cases(item: pytest.Item) -> set[str]:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return {value for value in parameters if isinstance(value, str)}


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
def azurite() -> Iterator["Cloud"]:
    """Azure Blob Storage as Microsoft's emulator."""
    from tests.support.clouds import run_azurite

    with run_azurite() as cloud:
        yield cloud


@pytest.fixture(scope="session")
def google_storage() -> Iterator["Cloud"]:
    """Google Cloud Storage as its documentation describes it."""
    from tests.support.clouds import run_google_storage

    with run_google_storage() as cloud:
        yield cloud


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
