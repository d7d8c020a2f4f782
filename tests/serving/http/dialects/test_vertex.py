"""Vertex AI's container contract: it says where it asks, and sends TensorFlow Serving's form."""

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from serving.settings import Settings
from tests.support.fakes import base64_of


def test_the_health_route_is_well_once_the_model_is_loaded(url):
    with urlopen(f"{url}/alive") as answer:
        assert answer.status == 200


def test_the_predict_route_names_no_model(url, photos):
    instances = [{"b64": base64_of(photo)} for photo in photos.values()]
    with urlopen(Request(f"{url}/predict", json.dumps({"instances": instances, "parameters": {}}).encode())) as answer:
        predictions = json.load(answer)["predictions"]
    assert [max(zip(row["scores"], row["classes"], strict=True))[1] for row in predictions] == list(photos)


def test_a_refusal_is_tensorflow_servings(url):
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(f"{url}/predict", b"{}"))
    assert (refused.value.code, list(json.load(refused.value))) == (400, ["error"])


@pytest.mark.parametrize("name", ["AIP_HTTP_PORT", "FUNCTIONS_CUSTOMHANDLER_PORT"])
def test_a_platform_that_chooses_the_port_is_obeyed(name):
    assert Settings.from_environment({"PORT": "8080", name: "9001"}).port == 9001
