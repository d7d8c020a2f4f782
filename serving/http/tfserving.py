"""TensorFlow Serving's REST API, for the clients that exist: predict in rows, model status, metadata, its errors.

One model is served: the other names and versions are unknown. {"b64": …} is an encoded image, as `serving_bytes` takes it;
nested lists are pixels, as `serving_default` takes them. Shapes of requests and answers: tensorflow.org/tfx/serving/api_rest.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from flask import Request, Response
from numpy.typing import NDArray

from model.classifier import Classifier
from model.errors import RecognitionError
from model.image import SIDE
from serving.errors import MalformedRequest, UnknownModel
from serving.http.base64_text import decode_base64
from serving.http.record import Record
from serving.http.requests import check_batch, read_json
from serving.http.responses import json_answer, with_timings
from serving.inference import Recogniser
from serving.schemas import ModelMetadata, ModelStatus, PredictRequest, PredictResponse, VersionStatus

SIGNATURES = ("", "serving_default", "serving_bytes")
INPUTS = ("image", "image_bytes")  # by signature; a row may name its input or just be it


@dataclass(frozen=True)
class Servable:
    """What an address names."""

    name: str
    version: int | None  # None: whichever is served


def predict(request: Request, record: Record, recogniser: Recogniser, servable: Servable, max_batch: int) -> Response:
    asked = read_json(request.get_data(cache=False), PredictRequest)
    check_batch(len(asked.instances), max_batch)
    if asked.signature_name not in SIGNATURES:
        raise MalformedRequest(f"signature_name must be one of {', '.join(filter(None, SIGNATURES))}")
    _find(servable, recogniser.classifier(record.timings))
    rows = [_unnamed(instance) for instance in asked.instances]
    encoded = [row["b64"] for row in rows if isinstance(row, dict) and isinstance(row.get("b64"), str)]
    if len(encoded) == len(rows):
        record.source = "base64"
        reads = [partial(decode_base64, text) for text in encoded]
        record.prediction = prediction = recogniser.recognise(reads, record.timings, batch=True)
    else:
        record.source = "pixels"
        record.prediction = prediction = recogniser.recognise_pixels(_pixels(rows), record.timings)
    for outcome in prediction.outcomes:
        if isinstance(outcome, RecognitionError):
            raise outcome  # rows stand or fall together here
    rows_of_scores = [scores.tolist() for scores in prediction.scores]
    if encoded:  # two outputs make each prediction an object, one output makes it a plain list
        classes = prediction.classifier.manifest.labels
        return with_timings(
            _answer([{"scores": row, "classes": classes} for row in rows_of_scores]), prediction, record.timings
        )
    return with_timings(_answer(rows_of_scores), prediction, record.timings)


def status(record: Record, recogniser: Recogniser, servable: Servable) -> Response:
    version = _find(servable, recogniser.classifier(record.timings)).version
    fine = {"error_code": "OK", "error_message": ""}
    return json_answer(ModelStatus([VersionStatus(str(version), "AVAILABLE", fine)]))


def metadata(record: Record, recogniser: Recogniser, servable: Servable) -> Response:
    classifier = _find(servable, recogniser.classifier(record.timings))
    labels = len(classifier.manifest.labels)
    image = _tensor("image", "DT_UINT8", -1, SIDE, SIDE, 3)
    scores = _tensor("scores", "DT_FLOAT", -1, labels)
    signatures = {
        "serving_default": _signature(image, scores),
        "serving_bytes": _signature(
            _tensor("image_bytes", "DT_STRING", -1), scores | _tensor("classes", "DT_STRING", -1, labels)
        ),
    }
    model = {"name": classifier.manifest.name, "signature_name": "", "version": str(classifier.version)}
    return json_answer(ModelMetadata(model, {"signature_def": {"signature_def": signatures}}))


def _answer(predictions: list[object]) -> Response:
    return json_answer(PredictResponse(predictions))


def _find(servable: Servable, classifier: Classifier) -> Classifier:
    served = classifier.manifest.name, classifier.version
    if servable.name != served[0] or servable.version not in (None, served[1]):
        raise UnknownModel(f"that model or version is not served here; model {served[0]}, version {served[1]} is")
    return classifier


def _unnamed(instance: Any) -> Any:
    if isinstance(instance, dict) and len(instance) == 1 and next(iter(instance)) in INPUTS:
        return next(iter(instance.values()))
    return instance


def _pixels(rows: list[Any]) -> NDArray[np.uint8]:
    try:
        pixels = np.asarray(rows)  # (N, 299, 299, 3)
    except ValueError:  # ragged
        pixels = np.empty(0)
    if pixels.shape[1:] != (SIDE, SIDE, 3) or pixels.dtype.kind != "i" or pixels.min() < 0 or pixels.max() > 255:
        raise MalformedRequest(
            f'an instance is {{"b64": "<base64 of an encoded image>"}} or pixels ({SIDE}, {SIDE}, 3), whole numbers 0–255; '
            "all instances of a request are of one kind"
        )
    return pixels.astype(np.uint8)


def _tensor(name: str, dtype: str, *shape: int) -> dict[str, object]:
    dim = [{"size": str(size), "name": ""} for size in shape]
    return {name: {"dtype": dtype, "name": name, "tensor_shape": {"dim": dim, "unknown_rank": False}}}


def _signature(inputs: dict[str, object], outputs: dict[str, object]) -> dict[str, object]:
    return {"inputs": inputs, "outputs": outputs, "method_name": "tensorflow/serving/predict"}
