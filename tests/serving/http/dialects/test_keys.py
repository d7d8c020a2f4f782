"""Where the app asks for a key, each client gives it in the way that docs/dialects.md shows."""

import hashlib

import boto3
import numpy as np
import pytest
import tritonclient.http as triton
from botocore.exceptions import ClientError
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from tests.serving.http.dialects.conftest import CREDENTIALS
from tests.support.server import run_server

KEY = "a-key"


@pytest.fixture(scope="module")
def url(tiny_model, tmp_path_factory):
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    with run_server(tiny_model, 1, tmp_path_factory.mktemp("log") / "log", API_KEYS=digest) as server:
        yield f"http://127.0.0.1:{server.port}"


def give_key(request, **_):
    request.headers.add_header("X-Api-Key", KEY)


def test_rekognition_with_and_without(url, photos):
    client = boto3.client("rekognition", endpoint_url=f"{url}/v1/rekognition", **CREDENTIALS)
    with pytest.raises(client.exceptions.AccessDeniedException, match="needs a key"):
        client.detect_labels(Image={"Bytes": photos["red"]})
    client.meta.events.register("before-sign", give_key)
    assert client.detect_labels(Image={"Bytes": photos["red"]})["Labels"][0]["Name"] == "red"


def test_sagemaker_with_and_without(url, photos):
    client = boto3.client("sagemaker-runtime", endpoint_url=url, **CREDENTIALS)
    with pytest.raises(ClientError, match="needs a key"):
        client.invoke_endpoint(EndpointName="tiny", Body=photos["red"])
    client.meta.events.register("before-sign", give_key)
    assert b"red" in client.invoke_endpoint(EndpointName="tiny", Body=photos["red"])["Body"].read()


def test_triton_with_and_without(url, photos):
    client = triton.InferenceServerClient(url.removeprefix("http://"))
    images = triton.InferInput("image_bytes", [1], "BYTES").set_data_from_numpy(np.array([photos["red"]], object))
    assert client.is_server_ready()
    assert client.is_model_ready("tiny")
    with pytest.raises(triton.InferenceServerException, match=r"\[401\] this needs a key"):
        client.infer("tiny", [images])
    assert client.infer("tiny", [images], headers={"X-Api-Key": KEY}).as_numpy("scores").shape == (1, 3)
    client.close()


def test_hugging_face_with_and_without(url, photos):
    address = f"{url}/v1/huggingface"
    with pytest.raises(HfHubHTTPError, match="401"):
        InferenceClient(model=address).image_classification(photos["red"])
    assert InferenceClient(model=address, token=KEY).image_classification(photos["red"])[0].label == "red"
