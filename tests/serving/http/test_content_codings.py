"""Bodies that were packed on their way: each content coding, and what is none."""

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.codings import MOST_MEMBERS
from serving.settings import Settings
from tests.support.bodies import LIMIT, RED, multipart, post
from tests.support.fakes import base64_of, colour_app


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


CLIENT = colour_app().test_client()
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


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_are_of_a_coding_or_refused(data, coding):
    assert post(CLIENT, data, coding=coding).status_code < 500
