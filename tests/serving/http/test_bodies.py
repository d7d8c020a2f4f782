"""The body that really came, whatever was done to it on its way."""

import base64
import codecs
import json
from io import BytesIO

import pytest
from PIL import Image

from tests import ROOT
from tests.support.bodies import RED, measured, multipart, post
from tests.support.fakes import base64_of, picture

FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIC", "JP2", "PNM", "TGA"]
PILLOWS = {"JP2": "JPEG2000", "PNM": "PPM"}  # names
PREDICT = "/v1/models/colours:predict"


def noise(format):
    if format == "HEIC":
        return (ROOT / "tests" / "model" / "four_colours.heic").read_bytes()
    buffer = BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(buffer, PILLOWS.get(format, format))
    return buffer.getvalue()


def windows_1252(data):
    """As a browser's TextDecoder("latin1") reads bytes."""
    return "".join(bytes([byte]).decode("latin-1" if byte in (129, 141, 143, 144, 157) else "cp1252") for byte in data)


@pytest.mark.parametrize(
    "mark",
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
    ids=lambda mark: mark[1],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_a_byte_order_mark_before_json_is_passed_by(client, mark, content_type):
    text = json.dumps({"image": {"bytes": base64_of(RED)}})
    assert post(client, mark[0] + text.encode(mark[1]), content_type).status_code == 200


def test_a_byte_order_mark_before_nothing_that_it_announces_is_refused(client):
    assert post(client, codecs.BOM_UTF16_LE + b"\x00\xd8", "application/json").status_code == 400


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("content_type", ["image/jpeg", "application/x-www-form-urlencoded", "text/plain", ""])
def test_bytes_that_were_taken_for_text_are_recognised_in_every_format(client, format, content_type):
    response = post(client, noise(format).decode("utf-8", "replace").encode(), content_type)
    assert response.status_code == 400
    assert "turned into text" in response.get_json()["detail"]


@pytest.mark.parametrize("format", FORMATS)
def test_they_are_recognised_in_a_form_too(client, format):
    body = multipart(noise(format)).decode("utf-8", "replace").encode()
    response = post(client, body, "multipart/form-data; boundary=X")
    assert response.status_code == 400
    assert "turned into text" in response.get_json()["detail"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("read", [lambda data: data.decode("latin-1"), windows_1252], ids=["latin-1", "windows-1252"])
def test_bytes_that_became_characters_one_by_one_are_restored(client, format, read):
    image = noise(format)
    expected, mangled = post(client, image).get_json(), read(image).encode()
    bodies = [(mangled, "image/jpeg"), (multipart(mangled), "multipart/form-data; boundary=X")]
    for answer in [post(client, *body).get_json() for body in bodies]:
        assert answer["image"] == expected["image"]
        assert answer["labels"] == expected["labels"]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "HEIC", "JP2"])
def test_bytes_that_became_question_marks_are_recognised_where_no_image_can_be_meant(client, format):
    response = post(client, noise(format).decode("ascii", "replace").replace("\ufffd", "?").encode())
    assert response.status_code == 400
    assert "turned into text" in response.get_json()["detail"]


@pytest.mark.parametrize("format", FORMATS)
def test_an_image_as_it_is_stays_as_it_is(client, format):
    assert post(client, noise(format)).get_json()["image"]["format"] == format


def test_an_image_whose_own_bytes_are_text_is_an_image(client):
    blue = picture((0x60, 0xC3, 0xA9)[::-1], format="BMP")  # "`é" for each pixel
    assert post(client, blue).get_json()["image"]["format"] == "BMP"


@pytest.mark.parametrize(
    "text",
    [
        base64_of(RED),
        base64_of(RED).rstrip("="),
        base64.urlsafe_b64encode(RED).decode(),
        base64.encodebytes(RED).decode(),
        "data:image/jpeg;base64," + base64_of(RED),
        "DATA:image/jpeg;BASE64," + base64_of(RED),
    ],
    ids=["standard", "unpadded", "URL-safe", "lines", "data URI", "data URI in capitals"],
)
def test_base64_text_is_taken_wherever_an_image_may_be(client, text):
    as_json = json.dumps(text).replace("/", "\\/")  # as PHP writes it
    bodies = [
        (text.encode(), "image/jpeg"),
        (text.encode(), "text/plain"),
        (as_json.encode(), "application/json"),
        (multipart(text.encode(), 'name="image"'), "multipart/form-data; boundary=X"),
        (multipart(text.encode()), "multipart/form-data; boundary=X"),
        (b"image=" + text.encode(), "application/x-www-form-urlencoded"),
        (b"top_k=1&min_score=0&image=" + text.encode(), "application/x-www-form-urlencoded"),
        (text.encode(), "application/json"),
        (json.dumps(text).encode(), "text/plain"),
        (b"image=" + text.replace("+", "%2B").encode(), "application/x-www-form-urlencoded"),
    ]
    for data, content_type in bodies:
        assert post(client, data, content_type).status_code == 200, content_type


TEXTS = {
    "base64": base64_of,
    "latin-1": lambda data: data.decode("latin-1"),
    "windows-1252": windows_1252,
    "a data URI": lambda data: "data:image/jpeg;base64," + base64_of(data),
}


def taken_for_text(client, text):
    """The same image in every place that takes base64."""
    encoded = base64_of(text.encode())
    tensor = {"name": "image_bytes", "datatype": "BYTES", "shape": [1], "data": [encoded]}
    target = {"X-Amz-Target": "RekognitionService.DetectLabels"}
    return [
        post(client, encoded.encode(), "text/plain"),
        client.post("/v1/classify", json={"image": {"bytes": encoded}}),
        client.post("/v1/models/colours:predict", json={"instances": [{"b64": encoded}]}),
        client.post("/v2/models/colours/infer", json={"inputs": [tensor]}),
        client.post("/v1/huggingface", json={"inputs": encoded}),
        client.post("/v1/rekognition", json={"Image": {"Bytes": encoded}}, headers=target),
    ]


@pytest.mark.parametrize("written", TEXTS)
def test_base64_of_what_was_text_already_is_the_image(client, written):
    assert [answer.status_code for answer in taken_for_text(client, TEXTS[written](RED))] == [200] * 6


def test_base64_of_what_is_lost_is_said_as_what_it_is(client):
    for answer in taken_for_text(client, RED.decode("utf-8", "replace")):
        said = answer.get_data(as_text=True)
        assert answer.status_code == 400
        assert "turned into text" in said
        assert "as bytes before you encode it" in said
        assert "gateway" not in said


def test_three_layers_of_base64_are_undone_and_no_more(client):
    text, statuses = RED, []
    for _ in range(5):
        text = base64.b64encode(text)
        statuses.append(post(client, text, "text/plain").status_code)
    assert statuses == [200, 200, 200, 415, 415]


@pytest.mark.parametrize("text", ["data:image/jpeg,abc", "data:image/jpeg;base64,%%%"])
def test_a_data_uri_that_is_none_is_refused_as_what_it_is(client, text):
    assert post(client, text.encode()).get_json()["code"] == "malformed_base64"


@pytest.mark.parametrize("data", [b"hello", b"{", base64.b64encode(b"no image at all, but quite a long text")])
def test_other_text_is_no_image(client, data):
    assert post(client, data).status_code in (400, 415)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("disposition", ['name="image"', 'name="image"; filename="photo.txt"'])
def test_a_byte_order_mark_before_base64_is_passed_by(client, encoding, disposition):
    text = base64_of(RED).encode(encoding)
    bodies = [(text, "text/plain"), (multipart(text, disposition), "multipart/form-data; boundary=X")]
    assert [post(client, *body).status_code for body in bodies] == [200, 200]


@pytest.mark.parametrize("value", [b"[]", b"{}", b'""', b'{"a":[]}'])
def test_json_of_millions_of_values_is_refused_before_it_is_read(client, value):
    body = b'{"instances":[' + b",".join([value] * 2_100_000) + b"]}"
    answers = []
    seconds, peak = measured(lambda: answers.append(post(client, body, "application/json", None, PREDICT)))
    assert answers[0].status_code == 400
    assert "2,000,000" in answers[0].get_json()["error"]
    assert (seconds < 10, peak < 4 * len(body)) == (True, True)  # of any machine, under tracemalloc
