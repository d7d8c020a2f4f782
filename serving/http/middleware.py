"""Around every request: its id, what it took, its log entry, and the translation of whatever it raised."""

import re
import uuid
from collections import Counter
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from serving.http.record import Record, record
from serving.http.responses import described, refused, with_advice
from serving.inference import Prediction, milliseconds_since
from serving.settings import Settings
from serving.telemetry import Telemetry

if TYPE_CHECKING:
    from serving.http.dialects import Refuse

REQUEST_ID = re.compile(r"[\w.:=-]{1,128}", re.ASCII)  # a caller's own, if it is harmless in a log


def add_middleware(app: Flask, settings: Settings, telemetry: Telemetry) -> None:
    @app.before_request
    def begin() -> None:
        g.record = Record(_request_id())

    @app.errorhandler(Exception)
    def refuse(error: Exception) -> Response:
        problem = described(error)
        record().code = problem.code
        if problem.status >= 500:
            telemetry.failed({"request_id": record().request_id, "code": problem.code}, error)
        return with_advice(_form(settings)(problem, record().request_id), error)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = record().request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        telemetry.answered(_entry(record(), response.status_code))
        return response


def _form(settings: Settings) -> "Refuse":
    """How an error is written here: as problem details, or as the API of another server does whose address this is."""
    if request.routing_exception is None:
        return refused
    from serving.http.dialects import form_of_errors

    return form_of_errors(request, settings) or refused


def _request_id() -> str:
    """Lambda's, so that it leads to Lambda's own lines; else the caller's; else a new one."""
    context = request.environ.get("serverless.context")
    given = getattr(context, "aws_request_id", None) or request.headers.get("X-Request-Id", "")
    return given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())


def _entry(record: Record, status: int) -> dict[str, object]:
    """The facts of a request for the log: neither its query, nor its headers, nor what the image shows."""
    entry: dict[str, object] = {
        "request_id": record.request_id,
        "method": request.method,
        "path": request.path,
        "status": status,
        "ms": round(milliseconds_since(record.started), 1),
    }
    if record.code:
        entry["code"] = record.code
    if record.source:
        entry |= _work(record)
    if record.prediction:
        entry |= _outcome(record.prediction)
    return entry


def _work(record: Record) -> dict[str, object]:
    timings = record.timings
    return {
        "source": record.source,
        "bytes": timings.bytes,
        "formats": timings.formats,
        "read_ms": round(timings.read_ms, 1),
        "decode_ms": round(timings.decode_ms, 1),
        "infer_ms": round(timings.infer_ms, 1),
        "cold": timings.cold,
    } | ({"load_ms": round(timings.load_ms, 1)} if timings.cold else {})


def _outcome(prediction: Prediction) -> dict[str, object]:
    classifier = prediction.classifier
    best = classifier.rank(prediction.scores[0], top_k=1) if prediction.scores else []  # of a batch, its first image
    return {
        "images": len(prediction.outcomes),
        "failures": len(prediction.outcomes) - len(prediction.scores),
        "model": classifier.manifest.name,
        "version": classifier.version,
        "engine": classifier.engine.name,
    } | ({"label": best[0].name, "score": best[0].score} | _judged(prediction) if best else {})


def _judged(prediction: Prediction) -> dict[str, object]:
    """The first image's decision, and how often each was made."""
    if not prediction.decisions[0]:
        return {}
    return {"decision": prediction.decisions[0], "decisions": Counter(map(str, prediction.decisions))}
