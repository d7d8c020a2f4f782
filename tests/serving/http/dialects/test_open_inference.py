"""Triton's own client of the Open Inference Protocol, and the JSON that KServe's documentation shows."""

import io
import json
import time
from urllib.request import Request, urlopen

import numpy as np
import pytest
import tritonclient.http as triton
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from model.image import SIDE
from tests.support.fakes import LABELS, base64_of, colour_app, picture
from tests.support.tiny import COLOURS

CLIENT = colour_app().test_client()


@pytest.fixture
def client(url):
    client = triton.InferenceServerClient(url.removeprefix("http://"))
    yield client
    client.close()


def encoded(*images, binary=True):
    tensor = triton.InferInput("image_bytes", [len(images)], "BYTES")
    return [tensor.set_data_from_numpy(np.array(images, object), binary_data=binary)]


def named(answer):
    """The best class of each image."""
    best = answer.as_numpy("scores").argmax(axis=1)
    return [
        row[i] if isinstance(row[i], str) else row[i].decode()
        for row, i in zip(answer.as_numpy("classes"), best, strict=True)
    ]


def test_the_server_and_its_one_model_are_described(client):
    model = client.get_model_metadata("tiny")
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("tiny", "1")
    assert not client.is_model_ready("tiny", "2")
    assert not client.is_model_ready("roses")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert [output["name"] for output in model["outputs"]] == ["scores", "classes"]
    assert model["versions"] == ["1"]


@pytest.mark.parametrize("outputs", [None, "binary", "JSON"])
@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_encoded_images_are_named_however_tensors_come_and_go(client, photos, outputs, compression):
    wanted = [triton.InferRequestedOutput(name, binary_data=outputs == "binary") for name in (("scores", "classes"))]
    answer = client.infer(
        "tiny",
        encoded(*photos.values()),
        outputs=wanted if outputs else None,
        request_id="7",
        request_compression_algorithm=compression,
    )
    assert named(answer) == list(photos)
    assert answer.get_response()["id"] == "7"
    assert answer.get_response()["model_version"] == "1"


@pytest.mark.parametrize("binary", [True, False])
def test_pixels_are_scored(client, photos, binary):
    image = Image.open(io.BytesIO(photos["green"])).resize((SIDE, SIDE))
    tensor = triton.InferInput("image", [1, SIDE, SIDE, 3], "UINT8")
    tensor.set_data_from_numpy(np.asarray(image)[np.newaxis], binary_data=binary)
    scores = client.infer("tiny", [tensor], model_version="1").as_numpy("scores")
    assert list(COLOURS)[int(scores[0].argmax())] == "green"


def test_a_refusal_is_the_clients_exception(client, photos):
    with pytest.raises(triton.InferenceServerException, match=r"\[413\].*at most 16"):
        client.infer("tiny", encoded(*[photos["red"]] * 17))
    with pytest.raises(triton.InferenceServerException, match=r"\[415\]"):
        client.infer("tiny", encoded(photos["red"], b"no image"))
    with pytest.raises(triton.InferenceServerException, match=r"\[404\].*model tiny, version 1 is"):
        client.infer("roses", encoded(photos["red"]))
    with pytest.raises(triton.InferenceServerException, match="there are scores and classes"):
        client.infer("tiny", encoded(photos["red"]), outputs=[triton.InferRequestedOutput("boxes")])
    with pytest.raises(triton.InferenceServerException, match="classification extension"):
        client.infer("tiny", encoded(photos["red"]), outputs=[triton.InferRequestedOutput("scores", class_count=2)])


def test_the_json_form_of_kserve_takes_base64(url, photos):
    data = [base64_of(photo) for photo in photos.values()]
    tensor = {"name": "image_bytes", "datatype": "BYTES", "shape": [len(data)], "data": data}
    request = Request(f"{url}/v2/models/tiny/infer", json.dumps({"inputs": [tensor]}).encode())
    with urlopen(request) as answered:
        scores, classes = json.load(answered)["outputs"]
    best = np.reshape(scores["data"], scores["shape"]).argmax(axis=1)
    assert [classes["data"][i] for i in best] == list(photos)


def tensor(**changes):
    return {"name": "image_bytes", "datatype": "BYTES", "shape": [1], "data": [base64_of(picture())], **changes}


@pytest.mark.parametrize(
    ("inputs", "status"),
    [
        ([], 400),
        ([tensor(), tensor()], 400),
        ([tensor(name="picture")], 400),
        ([tensor(datatype="FP32")], 400),
        ([tensor(shape=[2])], 400),
        ([tensor(shape=[10**30])], 400),
        ([tensor(shape=[0], data=[])], 400),
        ([tensor(data=["%"])], 400),
        ([tensor(data=[7])], 400),
        ([tensor(data=[["a"], ["b", "c"]])], 400),
        ([tensor(parameters={"binary_data_size": 4})], 400),
        ([{"name": "image_bytes", "datatype": "BYTES", "shape": [1]}], 400),
        ([tensor(name="image", datatype="UINT8", shape=[1, 2], data=[1, 2])], 400),
        ([tensor(name="image", datatype="UINT8", shape=[], data=[1])], 400),
        ([tensor(name="image", datatype="UINT8", shape=[1, SIDE, SIDE, 3], data=["a"])], 400),
        ([tensor(name="image", datatype="UINT8", shape=[1, SIDE, SIDE, 3], data=[])], 400),
        ([tensor(data=[base64_of(b"hello")])], 415),
    ],
)
def test_whatever_else_is_sent_is_refused_in_its_form(inputs, status):
    response = colour_app().test_client().post("/v2/models/colours/infer", json={"inputs": inputs})
    assert (response.status_code, list(response.get_json())) == (status, ["error"]), response.text


@pytest.mark.parametrize("tail", [b"", b"\0", b"\xff\0\0\0abc", b"\0\0\0\0\xff"])
def test_bytes_that_are_no_tensor_are_refused(tail):
    given = {"name": "image_bytes", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(tail)}}
    head = json.dumps({"inputs": [given]}).encode()
    client = colour_app().test_client()
    for length in (len(head), 0, 10**9, "9" * 5000, "٣", "-1", "x"):
        headers = {"Inference-Header-Content-Length": str(length)}
        response = client.post("/v2/models/colours/infer", data=head + tail, headers=headers)
        assert (response.status_code, list(response.get_json())) == (400, ["error"])


@settings(deadline=None)
@given(
    st.binary(max_size=200),
    st.integers(0, 300),
    st.sampled_from(["image_bytes", "image"]),
    st.lists(st.integers(0, 400)),
)
def test_whatever_bytes_follow_the_json_no_fault_is_ours(tail, size, name, shape):
    datatype = "BYTES" if name == "image_bytes" else "UINT8"
    given = {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [given]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    response = CLIENT.post("/v2/models/colours/infer", data=head + tail, headers=headers)
    assert 400 <= response.status_code < 500
    assert list(response.get_json()) == ["error"]


def test_an_address_that_is_none_has_its_form_of_errors_too():
    client = colour_app().test_client()
    assert list(client.get("/v2/models/colours/versions/x").get_json()) == ["error"]
    response = client.get("/v2/models/colours/infer")
    assert (response.status_code, response.headers["Allow"], list(response.get_json())) == (405, "POST", ["error"])
    assert client.options("/v2/models/colours/infer").headers["Allow"] == "OPTIONS, POST"
    assert client.get("/v2/models/colours").get_json()["outputs"][0]["shape"] == [-1, len(LABELS)]


def test_an_output_may_not_be_asked_for_a_thousand_times():
    asked = {"inputs": [tensor(data=[base64_of(picture())])], "outputs": [{"name": "classes"}] * 1000}
    assert CLIENT.post("/v2/models/colours/infer", json=asked).status_code == 400


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (tensor(shape=[9_999_999] * 200_000), 400),
        (tensor(data=["a"] * 1_000_000), 413),
        (tensor(data=[[["a"] * 1_000_000]]), 413),
        (tensor(data=[[[]]] * 500_000, shape=[0]), 400),
    ],
)
def test_what_is_too_much_costs_little(given, status):
    body, began = json.dumps({"inputs": [given]}), time.thread_time()
    response = CLIENT.post("/v2/models/colours/infer", data=body, content_type="application/json")
    assert response.status_code == status
    assert time.thread_time() - began < 10  # s, of any machine
