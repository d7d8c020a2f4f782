"""One server with a real model, and an S3 that it may read, for the clients of all dialects."""

import urllib.request
from urllib.request import urlopen

import boto3
import pytest

from tests.support.server import run_server
from tests.support.tiny import COLOURS, draw_colours

BUCKET = "photos"
CREDENTIALS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}


@pytest.fixture(scope="package")
def photos(tmp_path_factory):
    """A JPEG of each colour, by its name."""
    folder = draw_colours(tmp_path_factory.mktemp("photos"), per_class=1)
    return {colour: (folder / colour / "00.jpg").read_bytes() for colour in COLOURS}


@pytest.fixture(scope="package")
def url(tiny_model, aws_server, photos, tmp_path_factory):
    """Where the server answers."""
    s3 = boto3.client("s3", endpoint_url=aws_server, **CREDENTIALS)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a red one.jpg", Body=photos["red"])
    environment = {name.upper(): value for name, value in CREDENTIALS.items() if name != "region_name"}
    environment |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": aws_server}
    environment |= {"IMAGE_SOURCES": f"s3://{BUCKET}", "AIP_HEALTH_ROUTE": "/alive", "AIP_PREDICT_ROUTE": "/predict"}
    log = tmp_path_factory.mktemp("log") / "log"
    with run_server(tiny_model, 1, log, **environment) as server:
        yield f"http://127.0.0.1:{server.port}"
    urlopen(urllib.request.Request(f"{aws_server}/moto-api/reset", method="POST")).close()
