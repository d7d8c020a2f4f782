"""Images in forms: fields, boundaries, names, and what a form may cost."""

import tempfile
from io import BytesIO
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.http.forms import parse_urlencoded
from tests.support.bodies import LIMIT, RED, measured, multipart, post


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


@pytest.mark.parametrize("value", [b"+", b"%41", b"%", b"%%4", b"%2B%2f", b"=", b"%0d%0a"])
def test_a_form_of_nothing_but_escapes_costs_little(client, value):
    body = b"image=" + value * (6 * LIMIT // len(value))
    seconds, peak = measured(lambda: post(client, body, "application/x-www-form-urlencoded"))
    assert seconds < 10  # of any machine, under tracemalloc
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
