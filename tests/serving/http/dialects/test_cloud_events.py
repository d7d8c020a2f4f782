"""CloudEvents as the official SDK writes them, to the app with the processor behind it, on the local AWS."""

import json
from urllib.parse import quote

import boto3
import pytest
from cloudevents.v1.conversion import to_binary, to_dict, to_structured
from cloudevents.v1.http import CloudEvent, from_dict

from model.errors import ModelNotFound
from serving.model_loader import ModelLoader
from serving.settings import Settings
from serving.uploads.processor import UploadProcessor
from tests.support.chain import BUCKET, Chain
from tests.support.events import event_names, load_event
from tests.support.fakes import ListTelemetry, colour_app, colour_classifier, picture

BATCHED = "application/cloudevents-batch+json"
SETTINGS = Settings(uploads_bucket=BUCKET)
KEY = "uploads/a red one.jpg"


@pytest.fixture
def chain(aws):
    return Chain(versioned=False)


@pytest.fixture
def make_client(aws):
    def make(load=colour_classifier, settings=SETTINGS):
        processor = UploadProcessor(settings, ModelLoader(load), ListTelemetry(), boto3.client("s3"))
        return colour_app(settings, settle=processor.settle).test_client()

    return make


def created(chain, key=KEY, bucket=BUCKET, data=None):
    """The event of an object that is put: what CloudEvents' own adapter makes of a notification of S3."""
    etag = chain.s3.put_object(Bucket=BUCKET, Key=key, Body=data or picture())["ETag"].strip('"')
    [record] = load_event("s3-put-unversioned")["Records"]
    record["s3"]["bucket"]["name"] = bucket
    record["s3"]["object"] |= {"key": key.replace(" ", "+"), "eTag": etag}
    attributes = {"type": "com.amazonaws.s3.ObjectCreated:Put", "source": f"aws:s3.us-east-1.{bucket}", "subject": key}
    return CloudEvent(attributes, record)


def batched(*events):
    return {"content-type": BATCHED}, json.dumps([to_dict(event) for event in events])


def deliver(client, message):
    headers, body = message
    return client.post("/v1/events", data=body, headers=headers)


@pytest.mark.parametrize("write", [to_binary, to_structured, batched])
def test_an_object_that_was_created_is_settled_in_every_mode(chain, make_client, write):
    response = deliver(make_client(), write(created(chain)))
    [result] = chain.results().values()
    assert (response.status_code, response.data) == (204, b"")
    assert (result.object.key, result.labels[0].name) == (KEY, "red")


def test_what_is_delivered_again_changes_nothing(chain, make_client):
    client, event = make_client(), created(chain)
    for _ in range(2):
        assert deliver(client, to_binary(event)).status_code == 204
    assert len(chain.results()) == 1


def test_a_batch_is_settled_whole(chain, make_client):
    events = [created(chain, f"uploads/{number}.jpg") for number in range(3)]
    assert deliver(make_client(), batched(*events)).status_code == 204
    assert len(chain.results()) == 3


def test_eventbridges_own_form_is_understood(chain, make_client):
    created(chain)
    data = load_event("eventbridge-object-created")
    data["detail"]["bucket"]["name"] = BUCKET
    data["detail"]["object"] |= {
        "key": KEY,
        "version-id": "",
        "etag": chain.s3.head_object(Bucket=BUCKET, Key=KEY)["ETag"].strip('"'),
    }
    event = CloudEvent({"type": "dev.example.s3", "source": "s3"}, data)
    assert deliver(make_client(), to_structured(event)).status_code == 204
    assert len(chain.results()) == 1


def test_an_image_that_is_none_is_settled_too_and_not_delivered_again(chain, make_client):
    assert deliver(make_client(), to_binary(created(chain, data=b"hello"))).status_code == 204
    [result] = chain.results().values()
    assert result.error.code == "unsupported_image"


def test_what_may_pass_is_to_be_delivered_again(chain, make_client):
    def load():
        raise ModelNotFound("not yet")

    response = deliver(make_client(load), to_binary(created(chain)))
    assert (response.status_code, response.get_json()["code"]) == (503, "model_not_found")
    assert "Retry-After" in response.headers
    assert not chain.results()


def test_another_bucket_is_none_of_its_business(chain, make_client):
    response = deliver(make_client(), to_binary(created(chain, bucket="elsewhere")))
    assert (response.status_code, response.get_json()["code"]) == (403, "source_forbidden")


@pytest.mark.parametrize("write", [to_binary, to_structured, batched])
@pytest.mark.parametrize("name", event_names("azure", "google"))
def test_the_event_of_a_store_that_this_service_does_not_settle_changes_nothing(chain, make_client, name, write):
    """These in particular: uploads-bucket is the name of a bucket of S3 here."""
    response = deliver(make_client(), write(from_dict(load_event(name))))
    created = name in {"azure-blob-created", "azure-blob-tier-changed", "google-finalized"}
    assert response.status_code == (403 if created else 204)
    assert not chain.results()


def test_in_binary_mode_the_subject_is_decoded_as_headers_are():
    settled = []
    client = colour_app(SETTINGS, settle=lambda event, _: settled.extend(event)).test_client()
    event = load_event("azure-blob-created")
    headers = {f"ce-{name}": event[name] for name in ("id", "source", "type", "specversion")}
    headers |= {"ce-subject": quote(event["subject"]), "content-type": "application/json"}
    assert deliver(client, (headers, json.dumps(event["data"]))).status_code == 204
    assert settled == [{name: event[name] for name in ("type", "subject", "data")}]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"{}"),
        ({"ce-id": "1", "ce-type": "t", "ce-source": "s"}, b"{}"),
        ({"ce-id": "1", "ce-type": "t", "ce-source": "s", "ce-specversion": "2.0"}, b"{}"),
        ({"ce-id": "1", "ce-type": "t", "ce-source": "s", "ce-specversion": "1.0"}, b""),
        ({"ce-id": "1", "ce-type": "t", "ce-source": "s", "ce-specversion": "1.0"}, b'{"a": 1}'),
        ({"content-type": "application/cloudevents+json"}, b"[]"),
        (
            {"content-type": BATCHED},
            b'[{"id": "1", "source": "s", "type": "t", "specversion": "1.0", "data_base64": "%"}]',
        ),
        ({"content-type": BATCHED}, b'[{"id": "1", "source": "s", "type": "t", "specversion": "1.0"}]'),
        ({"aeg-event-type": "Notification"}, b"{}"),
        ({"aeg-event-type": "Notification"}, b"[]"),
        (
            {"aeg-event-type": "SubscriptionValidation"},
            b'[{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent"}]',
        ),
    ],
)
def test_what_is_no_event_is_not_to_be_delivered_again(make_client, headers, body):
    response = deliver(make_client(), (headers, body))
    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"


def test_event_grid_is_let_in_by_either_handshake(make_client):
    client = make_client()
    webhook = client.options("/v1/events", headers={"WebHook-Request-Origin": "eventgrid.azure.net"})
    validation = {
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "data": {"validationCode": "512d38b6"},
    }
    grid = client.post("/v1/events", json=[validation], headers={"aeg-event-type": "SubscriptionValidation"})
    assert (webhook.status_code, webhook.headers["WebHook-Allowed-Origin"]) == (200, "eventgrid.azure.net")
    assert "POST" in webhook.headers["Allow"]
    assert grid.get_json() == {"validationResponse": "512d38b6"}
    assert "WebHook-Allowed-Origin" not in client.options("/v1/events").headers


def test_event_grids_headers_do_not_make_a_cloudevent_one_of_its_own_schema(chain, make_client):
    headers, body = to_structured(created(chain))
    assert deliver(make_client(), (headers | {"aeg-event-type": "Notification"}, body)).status_code == 204


def test_without_a_bucket_uploads_are_not_offered(make_client):
    event = CloudEvent({"type": "t", "source": "s"}, {"a": 1})
    for client in (make_client(settings=Settings()), colour_app(SETTINGS).test_client()):
        assert deliver(client, to_binary(event)).status_code == 404


def test_a_batch_may_be_empty(make_client):
    assert deliver(make_client(), batched()).status_code == 204
