"""TensorFlow Serving's REST API, for the clients that exist: predict in rows and in columns, model status, metadata, its errors.

One model is served: the other names and versions are unknown. {"b64": …} is an encoded image, as `serving_bytes` takes it;
nested lists are pixels, as `serving_default` takes them. Shapes of requests and answers: tensorflow.org/tfx/serving/api_rest.
"""

from functools import partial
from typing import Any

import numpy as np
from flask import Response
from numpy.typing import NDArray

from model.classifier import Classifier
from model.errors import RecognitionError
from model.image import SIDE
from model.stores.uri import ModelURI
from serving.errors import MalformedRequest, UnknownModel
from serving.http.bodies import image_of_base64, read_body
from serving.http.dialects import Call
from serving.http.requests import check_batch, read_json
from serving.http.responses import json_answer, with_timings
from serving.schemas import (
    ModelMetadata,
    ModelStatus,
    PredictColumns,
    PredictError,
    PredictRequest,
    PredictResponse,
    Problem,
    VersionStatus,
)

SIGNATURES = ("", "serving_default", "serving_bytes")
INPUTS = ("image", "image_bytes")  # by signature; a row may name its input or just be it


def predict(call: Call, name: str = "", version: int | None = None, label: str = "") -> Response:
    """Without a name (Vertex AI chooses addresses that hold none) it is the model that is served."""
    asked = read_json(read_body(call.request), PredictRequest)
    rows = _rows(asked)
    check_batch(len(rows), call.settings.max_batch)
    if asked.signature_name not in SIGNATURES:
        raise MalformedRequest(f"signature_name must be one of {', '.join(filter(None, SIGNATURES))}")
    record = call.record
    find_model(call, name, version, label)
    encoded = [row["b64"] for row in rows if isinstance(row, dict) and isinstance(row.get("b64"), str)]
    if len(encoded) == len(rows):
        record.source = "base64"
        reads = [partial(image_of_base64, text) for text in encoded]
        record.prediction = prediction = call.recogniser.recognise(reads, record.timings, batch=True)
    else:
        record.source = "pixels"
        record.prediction = prediction = call.recogniser.recognise_pixels(_pixels(rows), record.timings)
    for outcome in prediction.outcomes:
        if isinstance(outcome, RecognitionError):
            raise outcome  # rows stand or fall together here
    scores = [scores.tolist() for scores in prediction.scores]
    classes = prediction.classifier.manifest.labels if encoded else None
    answer = _answer_rows(scores, classes) if asked.inputs is None else _answer_columns(scores, classes)
    return with_timings(answer, prediction, record.timings)


def status(call: Call, name: str, version: int | None = None, label: str = "") -> Response:
    served = find_model(call, name, version, label).version
    fine = {"error_code": "OK", "error_message": ""}
    return json_answer(ModelStatus([VersionStatus(str(served), "AVAILABLE", fine)]))


def metadata(call: Call, name: str, version: int | None = None, label: str = "") -> Response:
    classifier = find_model(call, name, version, label)
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


def _rows(asked: PredictRequest) -> list[Any]:
    """The images, whether they came as rows or as a column."""
    if asked.instances is not None:
        return [_unnamed(row) for row in asked.instances]
    if not isinstance(asked.inputs, dict):
        return list(asked.inputs or [])
    if len(asked.inputs) != 1 or next(iter(asked.inputs)) not in INPUTS:
        raise MalformedRequest(
            f"inputs: {_names(asked.inputs)}: there is one input, {' or '.join(INPUTS)} by its signature"
        )
    [column] = asked.inputs.values()
    if not column:
        raise MalformedRequest("inputs: the column is empty: send at least one image")
    return column


def _unnamed(row: Any) -> Any:
    if not isinstance(row, dict) or ("b64" in row and len(row) == 1):
        return row
    if len(row) != 1 or next(iter(row)) not in INPUTS:
        raise MalformedRequest(
            f'instances: {_names(row)}: a row is {{"b64": …}}, or the one input, {" or ".join(INPUTS)} by its signature'
        )
    [value] = row.values()
    return value


def _names(given: dict[str, Any]) -> str:
    return f"the names {', '.join(repr(name[:40]) for name in list(given)[:4])}" if given else "no name"


def _answer_rows(scores: list[Any], classes: tuple[str, ...] | None) -> Response:
    """Two outputs make each prediction an object, one output makes it a plain list."""
    rows = [{"scores": row, "classes": classes} for row in scores] if classes else scores
    return json_answer(PredictResponse(rows))


def _answer_columns(scores: list[Any], classes: tuple[str, ...] | None) -> Response:
    columns = {"scores": scores, "classes": [classes] * len(scores)} if classes else scores
    return json_answer(PredictColumns(columns))


def refused(problem: Problem, _: str) -> Response:
    return json_answer(PredictError(problem.detail), problem.status)


def find_model(call: Call, name: str = "", version: int | None = None, label: str = "") -> Classifier:
    """The model that is served, if it is the one that is named. Raises UnknownModel."""
    classifier = call.recogniser.classifier(call.record.timings)
    served, alias = classifier.manifest.name, ModelURI.parse(call.settings.model_uri).alias
    if name not in ("", served) or version not in (None, classifier.version) or label not in ("", alias):
        also = f", label {alias}," if alias else ""
        raise UnknownModel(
            f"that model, version or label is not served here; model {served}, version {classifier.version}{also} is"
        )
    return classifier


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
