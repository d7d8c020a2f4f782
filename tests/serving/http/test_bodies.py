"""The body that really came, whatever was done to it on its way."""

import base64
import codecs
import gzip
import json
import tempfile
import time
import tracemalloc
import zlib
from io import BytesIO
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.codings import MOST_MEMBERS
from serving.http.forms import parse_urlencoded
from serving.settings import Settings
from tests import ROOT
from tests.support.fakes import base64_of, colour_app, picture

FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIC", "JP2", "PNM", "TGA"]
PILLOWS = {"JP2": "JPEG2000", "PNM": "PPM"}  # names
RED = picture("red")
LIMIT = 2**20
PREDICT = "/v1/models/colours:predict"


def noise(format):
    if format == "HEIC":
        return (ROOT / "tests" / "model" / "four_colours.heic").read_bytes()
    buffer = BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(buffer, PILLOWS.get(format, format))
    return buffer.getvalue()


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def windows_1252(data):
    """As a browser's TextDecoder("latin1") reads bytes."""
    return "".join(bytes([byte]).decode("latin-1" if byte in (129, 141, 143, 144, 157) else "cp1252") for byte in data)


CODINGS = {
    "gzip": ("gzip", gzip.compress),
    "gzip of several members": (
        "gzip",
        lambda data: gzip.compress(data[:9]) + gzip.compress(b"") + gzip.compress(data[9:]),
    ),
    "in capitals": (" GZIP ", gzip.compress),
    "by its old name": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without a header": ("deflate", raw_deflate),
    "identity": ("identity", bytes),
    "identity and gzip": ("identity, gzip", gzip.compress),
    "none": ("", bytes),
}


def post(client, data, content_type="image/jpeg", coding=None, address="/v1/classify"):
    headers = {} if coding is None else {"Content-Encoding": coding}
    return client.post(address, data=data, content_type=content_type, headers=headers)


def multipart(data, disposition='name="image"; filename="a.jpg"', boundary="X", more=b""):
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
    return more + head + data + f"\r\n--{boundary}--\r\n".encode()


@pytest.mark.parametrize(("coding", "pack"), CODINGS.values(), ids=CODINGS)
@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (RED, "image/jpeg"),
        (json.dumps({"image": {"bytes": base64_of(RED)}}).encode(), "application/json"),
        (multipart(RED), "multipart/form-data; boundary=X"),
    ],
    ids=["image", "JSON", "form"],
)
def test_a_content_coding_is_undone(client, coding, pack, data, content_type):
    assert post(client, pack(data), content_type, coding).status_code == 200


def test_a_content_coding_is_undone_for_tensorflow_servings_clients_too(client):
    body = gzip.compress(json.dumps({"instances": [{"b64": base64_of(RED)}]}).encode())
    assert post(client, body, "application/json", "gzip", "/v1/models/colours:predict").status_code == 200


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "br, gzip", "utf-8", "é"])
def test_another_coding_is_refused_by_name(client, coding):
    response = post(client, RED, coding=coding)
    assert (response.status_code, response.get_json()["code"]) == (415, "unsupported_encoding")
    assert "Content-Encoding" in response.get_json()["detail"]
    assert "gzip" in response.headers["Accept-Encoding"]


WHOLE_OF_NOTHING = [
    RED,
    b"",
    gzip.compress(RED, mtime=0)[:-20],
    gzip.compress(RED, mtime=0) + b"more",
    gzip.compress(RED, mtime=0) + gzip.compress(RED, mtime=0)[:-1],
    gzip.compress(b"", mtime=0) * (MOST_MEMBERS + 2),
    zlib.compress(RED) * 2,
    b"\x1f\x8b",
]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("data", WHOLE_OF_NOTHING)
def test_what_is_not_of_its_coding_is_the_clients_fault(client, coding, data):
    response = post(client, data, coding=coding)
    assert (response.status_code, response.get_json()["code"]) == (400, "malformed_request")
    assert "Content-Encoding" in response.get_json()["detail"]


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, raw_deflate])
def test_a_bomb_is_not_unpacked(pack):
    client = colour_app(Settings(max_body_bytes=LIMIT)).test_client()
    packed = pack(bytes(200 * LIMIT))
    assert len(packed) < LIMIT
    response = post(client, packed, coding="gzip" if pack is gzip.compress else "deflate")
    assert (response.status_code, response.get_json()["code"]) == (413, "body_too_large")


def test_nor_is_a_bomb_of_several_members():
    packed = gzip.compress(bytes(LIMIT - 1)) * 3
    response = post(colour_app(Settings(max_body_bytes=LIMIT)).test_client(), packed, coding="gzip")
    assert (response.status_code, response.get_json()["code"]) == (413, "body_too_large")


@settings(deadline=None)  # the first of them imports
@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_are_of_a_coding_or_refused(data, coding):
    assert post(CLIENT, data, coding=coding).status_code < 500


CLIENT = colour_app().test_client()


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
        assert answer.status_code == 400
        assert "turned into text" in answer.get_data(as_text=True)


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


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=Y"]
)
def test_a_missing_or_wrong_boundary_is_said(client, content_type):
    response = post(client, multipart(RED), content_type)
    assert response.status_code == 400
    assert "boundary" in response.get_json()["detail"]


@pytest.mark.parametrize("content_type", ["image/jpeg", "application/octet-stream", "application/json", ""])
def test_a_form_that_does_not_say_so_is_recognised(client, content_type):
    assert "Content-Type" in post(client, multipart(RED), content_type).get_json()["detail"]


@pytest.mark.parametrize("body", [multipart(RED)[:-200], multipart(RED)[:40], b"--X\r\n\r\nabc\r\n--X--", b"--X"])
def test_a_form_that_is_cut_off_or_malformed_is_said(client, body):
    response = post(client, body, "multipart/form-data; boundary=X")
    assert (response.status_code, response.get_json()["code"]) == (400, "malformed_request")


def test_an_image_may_come_without_a_file_name(client):
    body = multipart(RED, 'name="image"')
    assert post(client, body, "multipart/form-data; boundary=X").status_code == 200


def test_a_field_that_is_no_image_says_what_it_lacks(client):
    response = post(client, multipart(b"photo.jpg", 'name="image"'), "multipart/form-data; boundary=X")
    assert response.status_code == 400
    assert "filename" in response.get_json()["detail"]


@pytest.mark.parametrize("disposition", ["form-data", "form-data; nom=x", "attachment", ""])
def test_a_field_without_a_name_is_passed_by(client, disposition):
    more = f"--X\r\nContent-Disposition: {disposition}\r\n\r\n1\r\n".encode()
    assert post(client, multipart(RED, more=more), "multipart/form-data; boundary=X").status_code == 200


def test_forms_touch_no_disk(client, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    large = RED + bytes(2**20)  # bytes after a JPEG's end mean nothing; above 500 kB werkzeug would use a file
    assert post(client, large).status_code == 200
    assert post(client, multipart(large), "multipart/form-data; boundary=X").status_code == 200


def test_a_form_of_a_thousand_fields_and_headers_without_end_are_refused(client):
    fields = b"".join(multipart(b"1", f'name="f{number}"')[:-7] for number in range(1100)) + b"--X--"
    headers = b"--X\r\n" + b"a: b\r\n" * 20_000 + b"\r\n1\r\n--X--"
    for body in (fields, headers):
        assert post(client, body, "multipart/form-data; boundary=X").status_code == 413


def test_in_a_batch_each_file_has_its_own_error(client):
    mangled = RED.decode("utf-8", "replace").encode()
    files = {"image": [(BytesIO(data), "a.jpg") for data in (RED, mangled)]}
    results = client.post("/v1/classify", data=files).get_json()["results"]
    assert [sorted(result) for result in results] == [["image", "labels"], ["error"]]


@pytest.mark.parametrize("boundary", ["----=_Part_0_1.2", "a:b", "a/b", "(x)", "a b", "X" * 70])
@pytest.mark.parametrize("write", ["boundary={}", 'boundary="{}"', "charset=utf-8; Boundary = {} ", "boundary={};x=y"])
def test_a_boundary_is_what_the_client_wrote_quoted_or_not(client, boundary, write):
    content_type = f"multipart/form-data; {write.format(boundary)}"
    assert post(client, multipart(RED, boundary=boundary), content_type).status_code == 200


def test_a_files_name_may_be_in_any_encoding(client):
    for name in ("é.jpg".encode("latin-1"), "日本.jpg".encode("shift-jis"), b"\xff"):
        body = multipart(RED).replace(b"a.jpg", name)
        assert post(client, body, "multipart/form-data; boundary=X").status_code == 200


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("disposition", ['name="image"', 'name="image"; filename="photo.txt"'])
def test_a_byte_order_mark_before_base64_is_passed_by(client, encoding, disposition):
    text = base64_of(RED).encode(encoding)
    bodies = [(text, "text/plain"), (multipart(text, disposition), "multipart/form-data; boundary=X")]
    assert [post(client, *body).status_code for body in bodies] == [200, 200]


def measured(act):
    """The seconds of this thread and the bytes at their peak that it takes."""
    tracemalloc.start()
    began = time.thread_time()
    act()
    seconds, peak = time.thread_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak


@pytest.mark.parametrize("value", [b"+", b"%41", b"%", b"%%4", b"%2B%2f", b"=", b"%0d%0a"])
def test_a_form_of_nothing_but_escapes_costs_little(client, value):
    body = b"image=" + value * (6 * LIMIT // len(value))
    seconds, peak = measured(lambda: post(client, body, "application/x-www-form-urlencoded"))
    assert seconds < 2
    assert peak < 20 * len(body)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_what_a_form_escapes_comes_as_it_was(data):
    for written in (quote_from_bytes(data, safe=""), "".join(f"%{byte:02x}" for byte in data)):
        [part] = parse_urlencoded(f"image={written}".encode())
        assert (part.name, part.data) == ("image", data)


def test_an_image_may_come_escaped_as_it_is(client):
    body = b"image=" + quote_from_bytes(RED, safe="").encode()
    assert post(client, body, "application/x-www-form-urlencoded").status_code == 200


@pytest.mark.parametrize("value", [b"[]", b"{}", b'""', b'{"a":[]}'])
def test_json_of_millions_of_values_is_refused_before_it_is_read(client, value):
    body = b'{"instances":[' + b",".join([value] * 2_100_000) + b"]}"
    answers = []
    seconds, peak = measured(lambda: answers.append(post(client, body, "application/json", None, PREDICT)))
    assert answers[0].status_code == 400
    assert "2,000,000" in answers[0].get_json()["error"]
    assert (seconds < 2, peak < 4 * len(body)) == (True, True)
