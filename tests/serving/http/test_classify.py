"""POST /v1/classify: the forms of a request, and what each is answered."""

import re
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.settings import Settings
from tests.support.fakes import base64_of, colour_app, picture
from tests.support.problems import problem

RED = picture("red")


BROKEN = RED[: len(RED) // 2]


def names(result):
    return [label["name"] for label in result["labels"]]


def test_an_image_as_the_body_is_named(client):
    response = client.post("/v1/classify", data=RED, content_type="image/jpeg")
    body = response.get_json()
    assert response.status_code == 200
    assert body["labels"][0]["name"] == "red"
    assert body["labels"][0]["score"] == pytest.approx(1, abs=0.02)
    assert body["model"] == {"name": "colours", "version": 3}
    assert body["image"] == {"width": 64, "height": 48, "format": "JPEG"}
    assert body["request_id"] == response.headers["X-Request-Id"]


def test_an_answer_says_what_it_cost_and_is_not_kept(client):
    headers = client.post("/v1/classify", data=RED).headers
    assert headers["X-Model-Version"] == "3"
    assert re.fullmatch(r"decode;dur=\d+\.\d, infer;dur=\d+\.\d", headers["Server-Timing"])
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "content_type", ["image/png", "application/octet-stream", "text/plain", "application/x-www-form-urlencoded", ""]
)
def test_the_content_decides_the_format_never_the_header(client, content_type):
    response = client.post("/v1/classify", data=RED, content_type=content_type)
    assert response.get_json()["image"]["format"] == "JPEG"


def test_a_file_of_a_form_is_named(client):
    response = client.post("/v1/classify", data={"image": (BytesIO(RED), "photo.jpg")})
    assert response.get_json()["labels"][0]["name"] == "red"


def test_several_files_of_a_form_are_a_batch(client):
    files = {"image": [(BytesIO(picture(colour)), f"{colour}.jpg") for colour in ("red", "blue")]}
    results = client.post("/v1/classify", data=files).get_json()["results"]
    assert [names(result)[0] for result in results] == ["red", "blue"]


def test_options_may_be_fields_of_a_form(client):
    response = client.post("/v1/classify", data={"image": (BytesIO(RED), "photo.jpg"), "top_k": "1"})
    assert names(response.get_json()) == ["red"]


@pytest.mark.parametrize(
    "text", [base64_of(RED), base64_of(RED).rstrip("="), "data:image/jpeg;base64," + base64_of(RED)]
)
def test_an_image_in_json_is_named(client, text):
    body = client.post("/v1/classify", json={"image": {"bytes": text}}).get_json()
    assert names(body)[0] == "red"
    assert body["image"]["format"] == "JPEG"


def test_json_needs_no_header_to_be_known(client):
    body = f'{{"image": {{"bytes": "{base64_of(RED)}"}}}}'
    response = client.post("/v1/classify", data=body, content_type="application/x-www-form-urlencoded")
    assert names(response.get_json())[0] == "red"


@pytest.mark.parametrize("colour", ["red", "blue"])
def test_top_k_and_min_score_choose_the_labels(client, colour):
    image = {"bytes": base64_of(picture(colour))}
    assert len(names(client.post("/v1/classify", json={"image": image}).get_json())) == 3
    assert names(client.post("/v1/classify", json={"image": image, "top_k": 1}).get_json()) == [colour]
    assert names(client.post("/v1/classify?top_k=1", json={"image": image}).get_json()) == [colour]
    assert names(client.post("/v1/classify", json={"image": image, "min_score": 0.5}).get_json()) == [colour]
    assert names(client.post("/v1/classify?min_score=0.5", data=picture(colour)).get_json()) == [colour]
    assert len(names(client.post("/v1/classify?top_k=1", json={"image": image, "top_k": 2}).get_json())) == 2


def test_a_batch_answers_in_order_each_with_labels_or_its_own_error(client):
    images = [
        {"bytes": base64_of(RED)},
        {"bytes": "%"},
        {"bytes": base64_of(BROKEN)},
        {"bytes": base64_of(picture("blue"))},
    ]
    response = client.post("/v1/classify", json={"images": images})
    results = response.get_json()["results"]
    assert response.status_code == 200
    assert names(results[0])[0] == "red"
    assert results[1]["error"]["code"] == "malformed_base64"
    assert results[2]["error"]["code"] == "corrupt_image"
    assert names(results[3])[0] == "blue"
    assert [sorted(result) for result in results] == [["image", "labels"], ["error"], ["error"], ["image", "labels"]]


def test_a_batch_of_one_is_a_batch(client):
    body = client.post("/v1/classify", json={"images": [{"bytes": base64_of(RED)}]}).get_json()
    assert len(body["results"]) == 1
    assert body["model"] == {"name": "colours", "version": 3}


def test_a_batch_of_one_that_is_no_image_is_a_batch_too(client):
    body = client.post("/v1/classify", json={"images": [{"bytes": "a"}]}).get_json()
    assert [result["error"]["code"] for result in body["results"]] == ["malformed_base64"]


def test_a_batch_that_holds_no_image_still_answers_each(client):
    body = client.post("/v1/classify", json={"images": [{"bytes": "%"}, {"bytes": ""}]}).get_json()
    assert [result["error"]["code"] for result in body["results"]] == ["malformed_base64", "unsupported_image"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_request"),
        (b"hello", 415, "unsupported_image"),
        (b"%PDF-1.7", 415, "unsupported_image"),
        (BROKEN, 422, "corrupt_image"),
        (picture(size=(8, 64)), 422, "image_out_of_bounds"),
        (b"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdJFIF", 400, "malformed_request"),
    ],
)
def test_a_body_that_is_no_sound_image_is_refused(client, body, status, code):
    response = client.post("/v1/classify", data=body, content_type="image/jpeg")
    assert (response.status_code, problem(response)["code"]) == (status, code)


def test_an_image_that_was_taken_for_text_is_recognised_as_such(client):
    mangled = RED.decode("utf-8", "replace").encode()
    detail = problem(client.post("/v1/classify", data=mangled, content_type="image/jpeg"))["detail"]
    assert "binary media type" in detail


@pytest.mark.parametrize(
    ("json", "hint"),
    [
        ({}, "exactly one"),
        ([], "object"),
        ({"image": {}}, "exactly one"),
        ({"image": {"bytes": "a", "s3": {"bucket": "b", "key": "k"}}}, "exactly one"),
        ({"image": {"url": "https://elsewhere.example/a.jpg"}}, "url"),
        ({"image": {"bytes": "a"}, "images": [{"bytes": "a"}]}, "exactly one"),
        ({"images": []}, r"\$\.images"),
        ({"image": {"bytes": "a"}, "topk": 3}, "topk"),
        ({"image": {"bytes": "a"}, "top_k": 0}, r"\$\.top_k"),
        ({"image": {"bytes": "a"}, "top_k": "3"}, r"\$\.top_k"),
        ({"image": {"bytes": "a"}, "min_score": 2}, r"\$\.min_score"),
        ({"image": {"s3": {"bucket": "b"}}}, "key"),
    ],
)
def test_json_of_another_shape_is_refused_by_the_name_of_what_is_wrong(client, json, hint):
    response = client.post("/v1/classify", json=json)
    assert response.status_code == 400
    assert problem(response)["code"] == "malformed_request"
    assert re.search(hint, problem(response)["detail"])


@pytest.mark.parametrize("body", [b"{", b"\xff\xd8\xff", b'{"image": {"bytes": "\xff"}}', b"[" * 100_000])
def test_a_body_that_is_not_the_json_it_claims_is_refused(client, body):
    response = client.post("/v1/classify", data=body, content_type="application/json")
    assert (response.status_code, problem(response)["code"]) == (400, "malformed_request")


@pytest.mark.parametrize("query", ["top_k=many", "top_k=0", "min_score=2", "min_score=nan", "topk=3"])
def test_query_parameters_that_cannot_be_used_are_refused(client, query):
    response = client.post(f"/v1/classify?{query}", data=RED)
    assert response.status_code == 400
    assert query.partition("=")[0] in problem(response)["detail"]


def test_the_signature_of_a_presigned_call_is_no_option(client):
    assert client.post("/v1/classify?X-Amz-Signature=abc&top_k=1", data=RED).status_code == 200


@pytest.mark.parametrize("data", [{"photo": (BytesIO(RED), "photo.jpg")}, {"image": "text"}, {}])
def test_a_form_without_an_image_says_how_to_send_one(client, data):
    response = client.post("/v1/classify", data=data, content_type="multipart/form-data")
    assert response.status_code == 400
    assert "curl -F image=@photo.jpg" in problem(response)["detail"]


def test_limits_are_kept():
    limits = {"max_image_bytes": 900, "max_image_pixels": 5000}
    client = colour_app(Settings(**limits, max_body_bytes=5000, max_batch=2)).test_client()
    large = problem(client.post("/v1/classify", data=RED + bytes(900)))
    pixels = problem(client.post("/v1/classify", data=picture(size=(100, 100), format="GIF")))
    batch = problem(client.post("/v1/classify", json={"images": [{"bytes": "a"}] * 3}))
    body = problem(client.post("/v1/classify", data=bytes(5001)))
    form = problem(client.post("/v1/classify", data={"image": (BytesIO(bytes(5001)), "photo.jpg")}))
    assert (large["status"], large["code"]) == (413, "image_too_large")
    assert (pixels["status"], pixels["code"]) == (422, "image_out_of_bounds")
    assert (batch["status"], batch["code"]) == (413, "batch_too_large")
    assert (body["status"], body["code"]) == (form["status"], form["code"]) == (413, "body_too_large")
    assert "5,000 bytes" in body["detail"]


CLIENT = colour_app().test_client()


CONTENT_TYPES = [
    "image/jpeg",
    "application/json",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "",
    "é/;;=",
]


@given(
    body=st.binary(max_size=200)
    | st.sampled_from([RED, BROKEN]).flatmap(lambda data: st.integers(0, len(data)).map(lambda cut: data[:cut]))
    | st.from_regex(rb'\{"images?": .{0,80}\}'),
    content_type=st.sampled_from(CONTENT_TYPES),
    query=st.text(max_size=20),
)
def test_whatever_a_client_sends_is_never_our_fault(body, content_type, query):
    response = CLIENT.post("/v1/classify", query_string=query, data=body, content_type=content_type)
    assert response.status_code < 500, response.text
