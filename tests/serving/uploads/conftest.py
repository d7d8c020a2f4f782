"""The local AWS's chain of bucket and queue, and a processor whose model names colours."""

import boto3
import pytest

from serving.model_loader import ModelLoader
from serving.settings import Settings
from serving.uploads.processor import UploadProcessor
from tests.support.chain import Chain
from tests.support.fakes import colour_classifier


@pytest.fixture
def chain(aws, versions_in_events):
    return Chain()


@pytest.fixture
def make_processor(aws, telemetry):
    """The processor with a model that names colours, unless another collaborator is given."""

    def make(load=colour_classifier, client=None, announce=(), settings=Settings()):
        return UploadProcessor(settings, ModelLoader(load), telemetry, client or boto3.client("s3"), announce)

    return make


@pytest.fixture
def unversioned(aws):
    return Chain(versioned=False)
