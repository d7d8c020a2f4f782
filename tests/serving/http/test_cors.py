import re

import pytest

from serving.http.cors import ACCEPTED, EXPOSED, PREFLIGHT_SECONDS
from serving.settings import Settings
from tests import ROOT
from tests.support.fakes import colour_app, picture

SITE = "https://site.example"
PREFLIGHT = {"Origin": SITE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}


def ask(origins, **headers):
    return (
        colour_app(Settings(cors_origins=origins)).test_client().post("/v1/classify", data=picture(), headers=headers)
    )


def test_no_other_site_may_read_unless_told():
    assert "Access-Control-Allow-Origin" not in ask((), Origin=SITE).headers


def test_a_listed_site_may_read_answers_and_their_headers():
    headers = ask((SITE, "https://b.example"), Origin=SITE).headers
    assert headers["Access-Control-Allow-Origin"] == SITE
    assert "X-Model-Version" in headers["Access-Control-Expose-Headers"]
    assert headers["Vary"] == "Origin"


def test_an_unlisted_site_may_not():
    headers = ask((SITE,), Origin="https://evil.example").headers
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Vary"] == "Origin"


def test_any_site_may_where_all_are_let_in():
    assert ask(("*",), Origin=SITE).headers["Access-Control-Allow-Origin"] == "*"


def test_errors_can_be_read_too():
    client = colour_app(Settings(cors_origins=(SITE,))).test_client()
    response = client.post("/v1/classify", data=b"hello", headers={"Origin": SITE})
    assert response.status_code == 415
    assert response.headers["Access-Control-Allow-Origin"] == SITE


@pytest.mark.parametrize("origins", [(SITE,), ("*",)])
def test_a_preflight_is_answered(origins):
    response = colour_app(Settings(cors_origins=origins)).test_client().options("/v1/classify", headers=PREFLIGHT)
    assert response.status_code == 200
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "X-Api-Key" in response.headers["Access-Control-Allow-Headers"]
    assert response.headers["Access-Control-Allow-Origin"] == origins[0]


def test_the_gateway_answers_with_the_same_headers():
    gateway, service = (ROOT / "deploy" / "gateway.yml").read_text(), (ROOT / "serverless.yml").read_text()
    preflight = service[service.index("\n  cors:") :]

    assert re.findall(r"Access-Control-Expose-Headers: \"'(.*)'\"", gateway) == [EXPOSED]
    assert re.search(r"headers: \[(.*)\]", preflight)[1] == ACCEPTED
    assert re.search(r"maxAge: (\d+)", preflight)[1] == str(PREFLIGHT_SECONDS)
