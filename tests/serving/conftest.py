import pytest
from flask.testing import FlaskClient

from tests.support.fakes import ListTelemetry, colour_app


@pytest.fixture
def telemetry() -> ListTelemetry:
    return ListTelemetry()


@pytest.fixture
def client(telemetry: ListTelemetry) -> FlaskClient:
    """The app as it comes, with a model that names colours."""
    return colour_app(telemetry=telemetry).test_client()


@pytest.fixture
def versions_in_events(monkeypatch):
    """S3's notifications name the version of their object; moto's do not by themselves."""
    from moto.s3 import notifications

    from tests.deploy.local_aws import with_version

    monkeypatch.setattr(notifications, "_get_s3_event", with_version(notifications._get_s3_event))
