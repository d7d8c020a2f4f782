"""boto3's client of SageMaker endpoints, and the container's contract."""

import json
from urllib.request import Request, urlopen

import boto3
import pytest

from tests.serving.http.dialects.conftest import CREDENTIALS
from tests.support.fakes import base64_of, colour_app


@pytest.fixture
def sagemaker(url):
    return boto3.client("sagemaker-runtime", endpoint_url=url, **CREDENTIALS)


@pytest.mark.parametrize("kind", ["image/jpeg", "application/x-image", "application/json"])
def test_an_endpoint_that_is_invoked_answers_as_classify_does(sagemaker, photos, kind):
    body = photos["red"]
    if kind == "application/json":
        body = json.dumps({"image": {"bytes": base64_of(body)}}).encode()
    answer = json.load(sagemaker.invoke_endpoint(EndpointName="tiny", Body=body, ContentType=kind)["Body"])
    assert answer["labels"][0]["name"] == "red"


def test_a_refusal_is_the_clients_model_error(sagemaker):
    with pytest.raises(sagemaker.exceptions.ModelError) as refused:
        sagemaker.invoke_endpoint(EndpointName="tiny", Body=b"no image", ContentType="image/jpeg")
    assert refused.value.response["OriginalStatusCode"] == 415
    assert "it begins with" in refused.value.response["OriginalMessage"]


def test_the_contract_of_a_container(url, photos):
    with urlopen(f"{url}/ping") as pinged:
        assert (pinged.status, pinged.read()) == (200, b"")
    with urlopen(Request(f"{url}/invocations", photos["blue"], {"Content-Type": "image/jpeg"})) as invoked:
        assert json.load(invoked)["labels"][0]["name"] == "blue"


def test_a_container_refuses_as_classify_does():
    response = colour_app().test_client().post("/invocations", data=b"hello")
    assert (response.status_code, response.get_json()["code"]) == (415, "unsupported_image")
