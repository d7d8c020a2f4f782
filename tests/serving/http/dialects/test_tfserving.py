import numpy as np
import pytest

from tests.support.fakes import LABELS, base64_of, picture

RED, BLUE = ({"b64": base64_of(picture(colour))} for colour in ("red", "blue"))
PIXELS = np.full((299, 299, 3), (0, 0, 255), np.uint8).tolist()


@pytest.mark.parametrize("address", ["/v1/models/colours:predict", "/v1/models/colours/versions/3:predict"])
@pytest.mark.parametrize("name", [None, "image_bytes"])
def test_encoded_images_are_scored_as_serving_bytes_does(client, address, name):
    instances = [{name: row} if name else row for row in (RED, BLUE)]
    response = client.post(address, json={"instances": instances, "signature_name": "serving_bytes"})
    predictions = response.get_json()["predictions"]
    assert [prediction["classes"] for prediction in predictions] == [list(LABELS)] * 2
    assert [int(np.argmax(prediction["scores"])) for prediction in predictions] == [2, 0]
    assert response.headers["X-Model-Version"] == "3"


@pytest.mark.parametrize("instance", [PIXELS, {"image": PIXELS}])
def test_pixels_are_scored_as_serving_default_does(client, instance):
    response = client.post("/v1/models/colours:predict", json={"instances": [instance]})
    assert response.get_json() == {"predictions": [[1.0, 0.0, 0.0]]}


def test_a_client_may_name_no_content_type(client):
    body = f'{{"instances": [{{"b64": "{base64_of(picture())}"}}]}}'
    response = client.post("/v1/models/colours:predict", data=body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"instances": []}, 400),
        ({"inputs": {"image": []}}, 400),
        ({"instances": [RED], "signature_name": "other"}, 400),
        ({"instances": [RED, PIXELS]}, 400),
        ({"instances": [[[1, 2, 3]]]}, 400),
        ({"instances": [[[1, 2, 3], [4]]]}, 400),
        ({"instances": [np.full((299, 299, 3), 256).tolist()]}, 400),
        ({"instances": [np.full((299, 299, 3), 0.5).tolist()]}, 400),
        ({"instances": [{"b64": "%"}]}, 400),
        ({"instances": [{"b64": 7}]}, 400),
        ({"instances": ["text", None, {}]}, 400),
        ({"instances": [RED, {"b64": base64_of(b"hello")}]}, 415),
        ({"instances": [RED] * 17}, 413),
    ],
)
def test_what_cannot_be_scored_is_refused_in_its_form_of_errors(client, body, status):
    response = client.post("/v1/models/colours:predict", json=body)
    assert response.status_code == status
    assert list(response.get_json()) == ["error"]
    assert response.mimetype == "application/json"


@pytest.mark.parametrize("address", ["roses", "roses/metadata", "colours/versions/2", "colours/versions/2/metadata"])
def test_a_model_or_version_that_is_not_served_is_unknown(client, address):
    response = client.get(f"/v1/models/{address}")
    assert response.status_code == 404
    assert "model colours, version 3 is" in response.get_json()["error"]


def test_an_address_that_is_none_has_its_form_of_errors_too(client):
    response = client.get("/v1/models/colours/labels/stable")
    assert (response.status_code, list(response.get_json())) == (404, ["error"])


@pytest.mark.parametrize("address", ["colours", "colours/versions/3"])
def test_the_status_is_told(client, address):
    [version] = client.get(f"/v1/models/{address}").get_json()["model_version_status"]
    assert (version["version"], version["state"]) == ("3", "AVAILABLE")
    assert version["status"] == {"error_code": "OK", "error_message": ""}


@pytest.mark.parametrize("address", ["colours/metadata", "colours/versions/3/metadata"])
def test_the_signatures_are_told(client, address):
    body = client.get(f"/v1/models/{address}").get_json()
    signatures = body["metadata"]["signature_def"]["signature_def"]
    shape = signatures["serving_default"]["inputs"]["image"]["tensor_shape"]["dim"]
    assert body["model_spec"] == {"name": "colours", "signature_name": "", "version": "3"}
    assert [dimension["size"] for dimension in shape] == ["-1", "299", "299", "3"]
    assert sorted(signatures["serving_bytes"]["outputs"]) == ["classes", "scores"]
