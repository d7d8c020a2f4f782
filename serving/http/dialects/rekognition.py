"""Amazon Rekognition's DetectLabels and DetectCustomLabels, for who leaves it: in boto3 only `endpoint_url` changes.

The labels are this model's, without places in the image, parents or categories. What is asked for and is not there is refused
by name. Shapes: docs.aws.amazon.com/rekognition/latest/APIReference, AWS JSON 1.1.
"""

from functools import partial
from typing import Annotated, Any

from flask import Response
from msgspec import Meta, Struct

from model.classifier import Classifier, Label
from serving.errors import MalformedRequest
from serving.http.bodies import image_of_base64, read_body
from serving.http.dialects import OPERATION, Call
from serving.http.requests import read_json
from serving.http.responses import json_answer, with_timings
from serving.inference import Read
from serving.schemas import Problem, S3Reference

JSON_1_1 = "application/x-amz-json-1.1"
DETECT_LABELS, DETECT_CUSTOM_LABELS = "RekognitionService.DetectLabels", "RekognitionService.DetectCustomLabels"
MOST_LABELS = 1000  # MaxLabels' default
LEAST_CONFIDENCE = {DETECT_LABELS: 55.0, DETECT_CUSTOM_LABELS: 50.0}  # %; the latter is ours: AWS computes one a label
EXCEPTIONS = {  # code of a problem → name of the SDK's exception
    "unsupported_image": "InvalidImageFormatException",
    "unread_format": "InvalidImageFormatException",
    "corrupt_image": "InvalidImageFormatException",
    "image_too_large": "ImageTooLargeException",
    "body_too_large": "ImageTooLargeException",
    "source_forbidden": "InvalidS3ObjectException",
    "object_not_found": "InvalidS3ObjectException",
    "object_archived": "InvalidS3ObjectException",
    "object_locked": "InvalidS3ObjectException",
    "key_needed": "AccessDeniedException",
    "busy": "ThrottlingException",
}

Percent = Annotated[float, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=0)]


class S3Object(Struct, frozen=True, rename="pascal"):
    bucket: str
    name: str
    version: str | None = None


class Image(Struct, frozen=True, rename="pascal"):
    bytes: str | None = None  # base64
    s3_object: S3Object | None = None


class Asked(Struct, frozen=True, rename="pascal"):
    """What both operations take."""

    image: Image
    max_labels: Count | None = None
    max_results: Count | None = None
    min_confidence: Percent | None = None
    features: list[str] = []
    settings: dict[str, Any] = {}


def answer(call: Call) -> Response:
    operation = call.request.headers.get(OPERATION, "")
    if operation not in LEAST_CONFIDENCE:
        offered = ", ".join(name.partition(".")[2] for name in LEAST_CONFIDENCE)
        raise MalformedRequest(f"{OPERATION}: {operation[:80]!r} is not offered here; there are {offered}")
    asked = read_json(read_body(call.request), Asked)
    _refuse_what_is_not_there(asked)
    prediction = call.recogniser.recognise([_read(asked.image, call)], call.record.timings, batch=False)
    call.record.prediction = prediction
    most = asked.max_labels if operation == DETECT_LABELS else asked.max_results
    least = LEAST_CONFIDENCE[operation] if asked.min_confidence is None else asked.min_confidence
    labels = prediction.classifier.rank(prediction.scores[0], MOST_LABELS if most is None else most, least / 100)
    found = _labels(labels, prediction.classifier) if operation == DETECT_LABELS else _custom_labels(labels)
    return with_timings(json_answer(found, mimetype=JSON_1_1), prediction, call.record.timings)


def refused(problem: Problem, request_id: str) -> Response:
    """All that is the caller's to mend is 400 there; the name tells what it is."""
    ours = problem.status >= 500
    name = EXCEPTIONS.get(problem.code, "InternalServerError" if ours else "InvalidParameterException")
    response = json_answer({"__type": name, "message": problem.detail}, problem.status if ours else 400, JSON_1_1)
    response.headers["x-amzn-RequestId"] = request_id
    return response


def _refuse_what_is_not_there(asked: Asked) -> None:
    if asked.settings or set(asked.features) - {"GENERAL_LABELS"}:
        raise MalformedRequest("Settings, and Features other than GENERAL_LABELS, are not offered here: leave them out")


def _read(image: Image, call: Call) -> Read:
    if (image.bytes is None) == (image.s3_object is None):
        raise MalformedRequest("Image takes Bytes or S3Object: exactly one of them")
    call.record.source = "base64" if image.s3_object is None else "s3"
    if image.s3_object is None:
        return partial(image_of_base64, image.bytes or "")
    item = image.s3_object
    return partial(call.read_object, S3Reference(item.bucket, item.name, item.version))


def _labels(labels: list[Label], classifier: Classifier) -> dict[str, object]:
    nothing: dict[str, object] = {"Instances": [], "Parents": [], "Aliases": [], "Categories": []}
    return {"Labels": [_label(label) | nothing for label in labels], "LabelModelVersion": str(classifier.version)}


def _custom_labels(labels: list[Label]) -> dict[str, object]:
    return {"CustomLabels": [_label(label) for label in labels]}


def _label(label: Label) -> dict[str, object]:
    return {"Name": label.name, "Confidence": round(label.score * 100, 4)}
