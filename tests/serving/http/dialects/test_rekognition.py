"""boto3's own client of Amazon Rekognition, told another endpoint."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from serving.http.lambda_adapter import answer
from tests.serving.http.dialects.conftest import BUCKET, CREDENTIALS
from tests.support.events import load_event
from tests.support.fakes import base64_of, colour_app, picture

PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/flowers/version/1/1"


@pytest.fixture(params=["", "/v1/rekognition"], ids=["at the root", "under a path"])
def rekognition(url, request):
    return boto3.client("rekognition", endpoint_url=url + request.param, **CREDENTIALS)


def test_labels_come_with_percent_and_the_fields_that_callers_read(rekognition, photos):
    answer = rekognition.detect_labels(Image={"Bytes": photos["red"]}, MaxLabels=2, MinConfidence=0)
    best, _ = answer["Labels"]
    assert best["Name"] == "red"
    assert 55 < best["Confidence"] <= 100
    assert best["Instances"] == best["Parents"] == best["Aliases"] == best["Categories"] == []
    assert answer["LabelModelVersion"] == "1"


def test_without_a_threshold_it_is_rekognitions(rekognition, photos):
    assert [label["Name"] for label in rekognition.detect_labels(Image={"Bytes": photos["blue"]})["Labels"]] == ["blue"]


def test_custom_labels_come_in_their_form(rekognition, photos):
    answer = rekognition.detect_custom_labels(ProjectVersionArn=PROJECT, Image={"Bytes": photos["green"]}, MaxResults=1)
    [label] = answer["CustomLabels"]
    assert (label["Name"], label["Confidence"] > 50) == ("green", True)


def test_an_object_in_s3_is_read(rekognition):
    image = {"S3Object": {"Bucket": BUCKET, "Name": "a red one.jpg"}}
    assert rekognition.detect_labels(Image=image)["Labels"][0]["Name"] == "red"


@pytest.mark.parametrize(
    ("image", "exception"),
    [
        ({"Bytes": b"no image"}, "InvalidImageFormatException"),
        ({"Bytes": b"\xff\xd8\xff nonsense"}, "InvalidImageFormatException"),
        ({"S3Object": {"Bucket": BUCKET, "Name": "absent.jpg"}}, "InvalidS3ObjectException"),
        ({"S3Object": {"Bucket": "elsewhere", "Name": "a.jpg"}}, "InvalidS3ObjectException"),
        ({}, "InvalidParameterException"),
    ],
)
def test_a_refusal_is_the_exception_that_the_client_knows(rekognition, image, exception):
    with pytest.raises(getattr(rekognition.exceptions, exception)) as refused:
        rekognition.detect_labels(Image=image)
    assert refused.value.response["Error"]["Message"]


def test_what_is_asked_for_and_is_not_there_is_named(rekognition, photos):
    image = {"Bytes": photos["red"]}
    with pytest.raises(rekognition.exceptions.InvalidParameterException, match="Features"):
        rekognition.detect_labels(Image=image, Features=["GENERAL_LABELS", "IMAGE_PROPERTIES"])
    with pytest.raises(ClientError, match=r"DetectFaces.* is not offered here; there are DetectLabels"):
        rekognition.detect_faces(Image=image)


def test_behind_an_api_gateway_it_is_text_at_its_own_address():
    event = load_event("apigateway-v1-json") | {"path": "/v1/rekognition"}
    event["headers"] = event["headers"] | {"X-Amz-Target": "RekognitionService.DetectLabels"}
    event["multiValueHeaders"] = None
    event["body"] = json.dumps({"Image": {"Bytes": base64_of(picture())}})
    answered = answer(colour_app(), event, None)
    assert (answered["statusCode"], answered["isBase64Encoded"]) == (200, False)
    assert json.loads(answered["body"])["Labels"][0]["Name"] == "red"


def test_a_post_to_the_page_that_names_no_operation_is_none_of_rekognitions():
    response = colour_app().test_client().post("/", json={})
    assert (response.status_code, response.get_json()["code"]) == (405, "method_not_allowed")
