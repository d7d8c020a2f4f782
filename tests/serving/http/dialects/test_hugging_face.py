"""huggingface_hub's own client."""

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError


@pytest.fixture
def client(url):
    return InferenceClient(model=f"{url}/v1/huggingface")


def test_an_image_is_named(client, photos):
    found = client.image_classification(photos["red"])
    assert next(element.label for element in found) == "red"
    assert sum(element.score for element in found) == pytest.approx(1, abs=0.001)


def test_parameters_come_with_the_image_as_base64(client, photos):
    [best] = client.image_classification(photos["blue"], top_k=1, function_to_apply="softmax")
    assert best.label == "blue"


@pytest.mark.parametrize("parameters", [{"top_k": 0}, {"function_to_apply": "sigmoid"}])
def test_a_parameter_that_cannot_be_met_is_refused_by_its_name(client, photos, parameters):
    with pytest.raises(HfHubHTTPError, match=rf"Bad request:\n.*{next(iter(parameters))}"):
        client.image_classification(photos["red"], **parameters)


def test_a_refusal_says_why(client):
    with pytest.raises(HfHubHTTPError) as refused:
        client.image_classification(b"no image")
    assert refused.value.response.status_code == 415
    assert "it begins with" in refused.value.response.json()["error"]
