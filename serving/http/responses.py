"""Values → HTTP answers: JSON, problem details, and the headers that say what an answer timings."""

from itertools import count
from typing import Any

import msgspec
import numpy as np
from flask import Response, request
from numpy.typing import NDArray
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from model.errors import StoreForbidden
from model.image import DecodedImage
from serving.errors import ResultNotReady, UnsupportedEncoding
from serving.http.bodies import ACCEPTED_CODINGS
from serving.http.requests import ParsedRequest
from serving.inference import Prediction, Timings
from serving.problems import PROBLEM_TYPE, RETRY_AFTER, problem_of
from serving.schemas import (
    BatchResponse,
    ClassifyResponse,
    ImageFacts,
    ModelName,
    Options,
    Problem,
    Result,
)

HEAT_DIGITS = 3  # behind the point, of log-odds
HTTP_CODES = {400: "malformed_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


def json_answer(message: object, status: int = 200, mimetype: str = "application/json") -> Response:
    return Response(msgspec.json.encode(message), status, mimetype=mimetype)


def classified(parsed: ParsedRequest, prediction: Prediction, timings: Timings, request_id: str) -> Response:
    """Answer with the labels of one image, or with a result for each of a batch."""
    model = ModelName(prediction.classifier.manifest.name, prediction.classifier.version)
    answer: BatchResponse | ClassifyResponse
    if parsed.batch:
        answer = BatchResponse(_results(parsed.options, prediction), model, request_id)
    else:
        answer = ClassifyResponse(
            **_answer(parsed.options, prediction, 0, prediction.images[0]), model=model, request_id=request_id
        )
    return with_timings(json_answer(answer), prediction, timings)


def with_timings(response: Response, prediction: Prediction, timings: Timings) -> Response:
    response.headers["X-Model-Version"] = str(prediction.classifier.version)
    response.headers["Server-Timing"] = f"decode;dur={timings.decode_ms:.1f}, infer;dur={timings.infer_ms:.1f}"
    return response


def described(error: Exception) -> Problem:
    """Translate any error, those that Flask raises too."""
    if not isinstance(error, HTTPException) or error.code is None:
        return problem_of(error)
    detail = error.description or ""
    if isinstance(error, NotFound):
        detail = f"there is no {request.path} here; GET /openapi.json lists what there is"
    elif isinstance(error, MethodNotAllowed):
        detail = f"{request.path} does not take {request.method}; it takes {', '.join(_methods(error))}"
    elif isinstance(error, RequestEntityTooLarge):
        most = f"{request.max_content_length:,} bytes, or its form more than {request.max_form_parts:,} parts"
        detail = f"the request has more than {most}: send a smaller image, or refer to one in S3"
    return Problem(error.name, error.code, HTTP_CODES.get(error.code, f"http_{error.code}"), detail)


def refused(problem: Problem, request_id: str) -> Response:
    """Answer with problem details (RFC 9457)."""
    return json_answer(msgspec.structs.replace(problem, request_id=request_id), problem.status, PROBLEM_TYPE)


def with_advice(response: Response, error: Exception) -> Response:
    """Say when to come back, and what codings, methods and keys are known."""
    passes = response.status_code in (429, 503) and not isinstance(error, StoreForbidden)  # that takes the operator
    if passes or isinstance(error, ResultNotReady):
        response.headers["Retry-After"] = str(RETRY_AFTER)
    if isinstance(error, UnsupportedEncoding):
        response.headers["Accept-Encoding"] = ACCEPTED_CODINGS  # RFC 9110, section 15.5.16
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, section 15.5.2
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(_methods(error))
    return response


def _methods(error: MethodNotAllowed) -> list[str]:
    return sorted(error.valid_methods or [])


def _results(options: Options, prediction: Prediction) -> list[Result]:
    numbers = count()
    return [
        Result(**_answer(options, prediction, next(numbers), outcome))
        if isinstance(outcome, DecodedImage)
        else Result(error=problem_of(outcome))
        for outcome in prediction.outcomes
    ]


def _answer(options: Options, prediction: Prediction, number: int, image: DecodedImage) -> dict[str, Any]:
    """What is said of one of `prediction.images`."""
    scores = prediction.scores[number]
    return {
        "labels": prediction.classifier.rank(scores, options.top_k, options.min_score),
        "decision": prediction.decisions[number],
        "image": _facts(image),
        "heat_map": _heat_map(prediction.maps[number], scores) if options.explain and prediction.maps else None,
    }


def _heat_map(maps: NDArray[np.float32], scores: NDArray[np.float32]) -> list[list[float]]:
    from model.heat_map import heat_map

    return [[round(value, HEAT_DIGITS) for value in row] for row in heat_map(maps, scores).tolist()]


def _facts(image: DecodedImage) -> ImageFacts:
    return ImageFacts(image.width, image.height, image.format)
