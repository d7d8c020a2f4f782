"""Around every request: its id, what it took, its line in the journal, and the translation of whatever it raised."""

import re
import time
import uuid
from dataclasses import dataclass, field

from flask import Flask, Response, g, request

from serving.answers import described, refused, with_advice
from serving.journal import Journal
from serving.recognition import Cost, Scored, milliseconds_since

TENSORFLOW_SERVING = "/v1/models/"  # addresses whose errors have its form
REQUEST_ID = re.compile(r"[\w.:=-]{1,128}", re.ASCII)  # a caller's own, if it is harmless in a log


@dataclass
class Record:
    """One request as it goes along."""

    request_id: str
    started: float = field(default_factory=time.perf_counter)
    source: str = ""  # how the image came: body, form, base64 or s3
    cost: Cost = field(default_factory=Cost)
    scored: Scored | None = None
    code: str = ""  # of the problem, where there is one


def record() -> Record:
    """The record of the request at hand."""
    current: Record = g.record
    return current


def observe(app: Flask, journal: Journal) -> None:
    @app.before_request
    def begin() -> None:
        g.record = Record(_request_id())

    @app.errorhandler(Exception)
    def refuse(error: Exception) -> Response:
        problem = described(error)
        record().code = problem.code
        if problem.status >= 500:
            journal.failed({"request_id": record().request_id, "code": problem.code}, error)
        if request.path.startswith(TENSORFLOW_SERVING):
            from serving.dialect import refused as refused_there

            return with_advice(refused_there(problem), error)
        return with_advice(refused(problem, record().request_id), error)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = record().request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        journal.answered(_entry(record(), response.status_code))
        return response


def _request_id() -> str:
    """Lambda's, so that it leads to Lambda's own lines; else the caller's; else a new one."""
    context = request.environ.get("serverless.context")
    given = getattr(context, "aws_request_id", None) or request.headers.get("X-Request-Id", "")
    return given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())


def _entry(record: Record, status: int) -> dict[str, object]:
    """The facts of a request for the journal: neither its query, nor its headers, nor what the image shows."""
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
    if record.scored:
        entry |= _outcome(record.scored)
    return entry


def _work(record: Record) -> dict[str, object]:
    cost = record.cost
    return {
        "source": record.source,
        "bytes": cost.bytes,
        "formats": cost.formats,
        "read_ms": round(cost.read_ms, 1),
        "decode_ms": round(cost.decode_ms, 1),
        "infer_ms": round(cost.infer_ms, 1),
        "cold": cost.cold,
    } | ({"load_ms": round(cost.load_ms, 1)} if cost.cold else {})


def _outcome(scored: Scored) -> dict[str, object]:
    classifier = scored.classifier
    best = classifier.rank(scored.scores[0], top_k=1) if scored.scores else []  # of a batch, its first image
    return {
        "images": len(scored.outcomes),
        "failures": len(scored.outcomes) - len(scored.scores),
        "model": classifier.manifest.name,
        "version": classifier.version,
        "engine": classifier.engine.name,
    } | ({"label": best[0].name, "score": round(best[0].score, 4)} if best else {})
