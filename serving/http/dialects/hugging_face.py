"""Hugging Face's image classification, as `huggingface_hub.InferenceClient(model=…/v1/huggingface)` calls it.

An image as it is, or {"inputs": base64, "parameters": {…}}. Shapes: huggingface.co/docs/inference-providers/tasks/image-classification.
"""

from functools import partial
from typing import Literal

from flask import Response
from msgspec import Struct

from serving.errors import MalformedRequest
from serving.http.bodies import image_bytes, image_of_base64, read_body
from serving.http.dialects import Call
from serving.http.requests import read_json
from serving.http.responses import json_answer, with_timings
from serving.inference import Read
from serving.schemas import Problem, TopK

TOP_K = 5  # labels, where nobody says how many


class Parameters(Struct, frozen=True):
    top_k: TopK | None = None
    function_to_apply: Literal["softmax"] | None = None  # what this model's scores have gone through


class Asked(Struct, frozen=True):
    inputs: str
    parameters: Parameters = Parameters()


def classify(call: Call) -> Response:
    read, top_k = _asked(call)
    prediction = call.recogniser.recognise([read], call.record.timings, batch=False)
    call.record.prediction = prediction
    labels = prediction.classifier.rank(prediction.scores[0], top_k)
    found = [{"label": label.name, "score": label.score} for label in labels]
    return with_timings(json_answer(found), prediction, call.record.timings)


def refused(problem: Problem, _: str) -> Response:
    return json_answer({"error": problem.detail}, problem.status)


def _asked(call: Call) -> tuple[Read, int]:
    body = read_body(call.request)
    if not body:
        raise MalformedRequest("the body is empty: send an image, or JSON with the image as base64 in `inputs`")
    if not call.request.is_json:
        call.record.source = "body"
        return partial(image_bytes, body), TOP_K
    call.record.source = "base64"
    asked = read_json(body, Asked)
    return partial(image_of_base64, asked.inputs), asked.parameters.top_k or TOP_K
