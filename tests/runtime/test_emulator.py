"""Every kept event, through AWS's own emulator and runtime client, into the functions as Lambda starts them."""

import base64
import json
import re

import boto3
import pytest

from tests.support.emulator import run_function
from tests.support.events import event_names, load_event

HTTP = event_names("alb", "apigateway", "function-url")
UPLOADS = [name for name in event_names("") if name not in HTTP]
BUCKET, KEY = "amzn-s3-demo-bucket", "uploads/green.jpg"
PICTURE = base64.b64decode(load_event("apigateway-v1-image")["body"])  # a green one


@pytest.fixture(scope="module")
def http(tiny_model, tmp_path_factory):
    with run_function("handler.http", {"MODEL_URI": tiny_model}, tmp_path_factory.mktemp("http") / "log") as function:
        yield function


@pytest.fixture(scope="module")
def s3(aws_server):
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    client = boto3.client("s3", endpoint_url=aws_server, region_name="us-east-1", **keys)
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture(scope="module")
def uploads(tiny_model, aws_server, s3, tmp_path_factory):
    environment = {
        "MODEL_URI": tiny_model,
        "AWS_ENDPOINT_URL": aws_server,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    log = tmp_path_factory.mktemp("uploads") / "log"
    with run_function("handler.uploads", environment, log) as function:
        yield function


@pytest.mark.parametrize("name", HTTP)
def test_every_http_event_is_answered(http, name):
    answer = http.invoke(load_event(name))

    assert answer["statusCode"] == 200
    assert set(re.findall(r'"labels":\[{"name":"(\w+)"', answer.get("body", ""))) <= {"green"}


def test_every_form_in_which_an_image_comes_is_classified(http):
    sent = [name for name in HTTP if load_event(name).get("body")]
    bodies = [json.loads(http.invoke(load_event(name))["body"]) for name in sent]

    assert len(sent) >= 8
    assert all("labels" in body or "results" in body for body in bodies)


@pytest.mark.parametrize("name", UPLOADS)
def test_an_event_of_another_kind_gets_an_error_that_names_what_is_understood(http, name):
    answer = http.invoke(load_event(name))

    assert answer["errorType"] == "UnknownEvent"
    assert "Function URL" in answer["errorMessage"]


@pytest.mark.parametrize("event", [None, [], "text", 7, {}, {"Records": []}])
def test_nonsense_gets_the_same_error(http, event):
    assert http.invoke(event)["errorType"] == "UnknownEvent"


def test_the_largest_image_that_lambda_lets_through_is_classified(http):
    event = load_event("apigateway-v1-image")
    room = 6 * 2**20 - len(json.dumps(event | {"body": ""}))
    padded = PICTURE + bytes(room * 3 // 4 - len(PICTURE) - 3)  # bytes after a JPEG's end mean nothing

    answer = http.invoke(event | {"body": base64.b64encode(padded).decode()})

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["labels"][0]["name"] == "green"


def test_only_the_first_image_finds_no_model_loaded(http):
    for _ in range(2):
        http.invoke(load_event("apigateway-v2-image"))
    classified = [line for line in http.log.read_text().splitlines() if '"label":"green"' in line]

    assert [json.loads(line)["cold"] for line in classified] == [True] + [False] * (len(classified) - 1)


@pytest.mark.parametrize("name", UPLOADS)
def test_every_upload_event_is_settled(uploads, name):
    answer = uploads.invoke(load_event(name))  # of objects that are gone by now

    assert "errorType" not in answer
    assert not answer.get("batchItemFailures")


def test_an_upload_gets_its_result(uploads, s3):
    etag = s3.put_object(Bucket=BUCKET, Key=KEY, Body=PICTURE)["ETag"].strip('"')
    event = load_event("s3-put-unversioned")
    event["Records"][0]["s3"]["object"] |= {"key": KEY, "eTag": etag}

    (key,) = uploads.invoke(event)["results"]

    assert json.load(s3.get_object(Bucket=BUCKET, Key=key)["Body"])["labels"][0]["name"] == "green"
