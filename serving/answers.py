"""Values → HTTP answers: JSON, problem details, and the headers that say what an answer cost."""

import msgspec
import numpy as np
from flask import Response, request
from numpy.typing import NDArray
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from model.classifier import Classifier, Label
from model.image import DecodedImage
from serving.errors import ResultNotReady
from serving.intake import Intake
from serving.messages import BatchResponse, ClassifyResponse, ImageFacts, ModelName, Options, Problem, Result
from serving.problems import PROBLEM_TYPE, RETRY_AFTER, problem_of
from serving.recognition import Cost, Scored

HTTP_CODES = {400: "malformed_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


def json_answer(message: object, status: int = 200, mimetype: str = "application/json") -> Response:
    return Response(msgspec.json.encode(message), status, mimetype=mimetype)


def classified(intake: Intake, scored: Scored, cost: Cost, request_id: str) -> Response:
    """Answer with the labels of one image, or with a result for each of a batch."""
    model = ModelName(scored.classifier.manifest.name, scored.classifier.version)
    answer: BatchResponse | ClassifyResponse
    if intake.batch:
        answer = BatchResponse(_results(intake.options, scored), model, request_id)
    else:
        labels = _labels(intake.options, scored.classifier, scored.scores[0])
        answer = ClassifyResponse(labels, model, _facts(scored.images[0]), request_id)
    return with_cost(json_answer(answer), scored, cost)


def with_cost(response: Response, scored: Scored, cost: Cost) -> Response:
    response.headers["X-Model-Version"] = str(scored.classifier.version)
    response.headers["Server-Timing"] = f"decode;dur={cost.decode_ms:.1f}, infer;dur={cost.infer_ms:.1f}"
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
    """Say when to come back, and what methods an address knows."""
    if response.status_code in (429, 503) or isinstance(error, ResultNotReady):
        response.headers["Retry-After"] = str(RETRY_AFTER)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(_methods(error))
    return response


def _methods(error: MethodNotAllowed) -> list[str]:
    return sorted(error.valid_methods or [])


def _results(options: Options, scored: Scored) -> list[Result]:
    scores = iter(scored.scores)
    return [
        Result(_labels(options, scored.classifier, next(scores)), _facts(outcome))
        if isinstance(outcome, DecodedImage)
        else Result(error=problem_of(outcome))
        for outcome in scored.outcomes
    ]


def _labels(options: Options, classifier: Classifier, scores: NDArray[np.float32]) -> list[Label]:
    ranked = classifier.rank(scores, options.top_k, options.min_score)
    return [Label(label.name, round(label.score, 4)) for label in ranked]


def _facts(image: DecodedImage) -> ImageFacts:
    return ImageFacts(image.width, image.height, image.format)
