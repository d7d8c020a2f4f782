"""The way of a large image: a form, the upload that the client makes itself, the result."""

import base64
import json
import re

import pytest
import urllib3

from serving.http.presigned import UploadForms, signing_client
from serving.model_loader import ModelLoader
from serving.problems import RETRY_AFTER
from serving.settings import S3Prefix, Settings
from serving.uploads.processor import open_processor
from tests.support.chain import BUCKET, Chain, Context
from tests.support.fakes import ListTelemetry, colour_app, colour_classifier, picture

SETTINGS = Settings(uploads_bucket=BUCKET, image_sources=(S3Prefix(BUCKET, "uploads/"),))
AWS_REGION_ADDRESS = "https://s3.eu-central-1.amazonaws.com/uploads-bucket"


@pytest.fixture
def chain(aws, versions_in_events):
    return Chain()


@pytest.fixture
def client(chain):
    return colour_app(SETTINGS).test_client()


def upload(form, data):
    answer = urllib3.request("POST", form["url"], fields=form["fields"] | {"file": ("photo.jpg", data)})
    assert answer.status == 204, answer.data


def policy_of(form):
    return json.loads(base64.b64decode(form["fields"]["policy"]))["conditions"]


def test_a_form_is_signed_the_image_uploaded_and_its_result_polled(client, chain):
    form = client.post("/v1/uploads", json={"content_type": "image/jpeg"}).json
    upload(form, picture("green"))
    waiting = client.get(f"/v1/results/{form['id']}")
    assert (waiting.status_code, waiting.json["code"]) == (404, "result_not_ready")
    assert waiting.headers["Retry-After"] == str(RETRY_AFTER)
    processor = open_processor(SETTINGS, ModelLoader(colour_classifier), ListTelemetry())
    chain.drain(lambda event: processor.handle(event, Context()))
    done = client.get(f"/v1/results/{form['id']}")
    assert done.status_code == 200
    assert done.json["labels"][0]["name"] == "green"
    assert done.json["object"]["key"] == form["s3"]["key"]


def test_what_was_uploaded_can_be_classified_at_once(client):
    form = client.post("/v1/uploads", json={"content_type": "image/jpeg"}).json
    upload(form, picture("blue"))
    answer = client.post("/v1/classify", json={"image": {"s3": form["s3"]}})
    assert answer.json["labels"][0]["name"] == "blue"


def test_the_form_is_bound_to_its_key_its_type_and_a_size(client):
    form = client.post("/v1/uploads", json={"content_type": "image/png"}).json
    assert form["fields"]["key"] == f"uploads/{form['id']}"
    assert form["fields"]["Content-Type"] == "image/png"
    conditions = policy_of(form)
    assert {"key": form["fields"]["key"]} in conditions
    assert {"Content-Type": "image/png"} in conditions
    assert ["content-length-range", 1, form["max_bytes"]] in conditions
    assert form["max_bytes"] == SETTINGS.limits.max_bytes


def test_no_two_forms_share_an_id(client):
    ids = {client.post("/v1/uploads", json={"content_type": "image/jpeg"}).json["id"] for _ in range(5)}
    assert len(ids) == 5
    assert all(re.fullmatch("[0-9a-f]{32}", id) for id in ids)


@pytest.mark.parametrize(
    "body", [{}, {"content_type": "text/html"}, {"content_type": "image/svg+xml; x"}, {"key": "x"}]
)
def test_only_images_can_be_uploaded(client, body):
    answer = client.post("/v1/uploads", json=body)
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_request")


@pytest.mark.parametrize("id", ["0" * 32, "a.jpg", "..", "0" * 31, "%2e%2e%2fprivate"])
def test_an_unknown_id_looks_like_one_whose_result_is_not_there_yet(client, chain, id):
    chain.s3.put_object(Bucket=BUCKET, Key="results/uploads/a.jpg@1.json", Body=b"{}")
    assert client.get(f"/v1/results/{id}").json["code"] in ("result_not_ready", "not_found")


def test_without_a_bucket_uploads_are_not_offered():
    client = colour_app(Settings()).test_client()
    for answer in (
        client.post("/v1/uploads", json={"content_type": "image/png"}),
        client.get(f"/v1/results/{'0' * 32}"),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "uploads_not_offered")


def test_without_credentials_the_fault_is_ours(aws, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    answer = colour_app(SETTINGS).test_client().post("/v1/uploads", json={"content_type": "image/png"})
    assert (answer.status_code, answer.json["code"]) == (503, "store_misconfigured")


def test_a_form_names_the_address_of_its_region_and_version_four_of_the_signature(aws, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    form = UploadForms(SETTINGS, signing_client).sign("image/jpeg")
    assert form.url == AWS_REGION_ADDRESS
    assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
