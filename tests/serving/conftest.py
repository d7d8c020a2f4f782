import pytest
from flask.testing import FlaskClient

from tests.serving.fakes import ListJournal, colour_app


@pytest.fixture
def journal() -> ListJournal:
    return ListJournal()


@pytest.fixture
def client(journal: ListJournal) -> FlaskClient:
    """The app as it comes, with a model that names colours."""
    return colour_app(journal=journal).test_client()
