"""Lambda's HTTP events in front of a WSGI app; what serverless_wsgi would stumble over is mended or refused here."""

from typing import Any

import msgspec
import serverless_wsgi
from flask import Flask

from serving.errors import MalformedBase64, UnknownEvent
from serving.http.base64_text import decode_base64
from serving.problems import PROBLEM_TYPE, problem_of

serverless_wsgi.TEXT_MIME_TYPES.append(PROBLEM_TYPE)  # it would base64 every error otherwise

UNDERSTOOD = "API Gateway REST (v1) and HTTP API (v2), Lambda Function URL, Application Load Balancer"

Event = dict[str, Any]


def answer(app: Flask, event: Any, context: Any) -> Event:
    """Answer one HTTP event. Raises UnknownEvent where the event is none."""
    if not _is_http(event):
        raise UnknownEvent(f"handler.http understands {UNDERSTOOD}, not {_shape(event)}")
    try:
        event = _mend(event)
    except MalformedBase64 as error:
        return _refuse(error)
    response: Event = serverless_wsgi.handle_request(app, event, context)
    return response


def _is_http(event: Any) -> bool:
    if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
        return False
    if event.get("version") == "2.0":
        return "rawPath" in event and "http" in event["requestContext"]
    return "httpMethod" in event and "path" in event


def _shape(event: Any) -> str:
    if not isinstance(event, dict):
        return f"a {type(event).__name__}"
    records = event.get("Records")
    source = records[0].get("eventSource") or records[0].get("EventSource") if records else event.get("source")
    return f"an event with the fields {', '.join(sorted(event)) or 'none'}" + (f" from {source}" if source else "")


def _mend(event: Event) -> Event:
    """Absent instead of null, headers always, the body as the bytes it stands for, the path without the stage."""
    event = {"headers": {}} | {name: value for name, value in event.items() if value is not None}
    if event.get("isBase64Encoded"):
        event |= {"body": decode_base64(event.get("body", "")), "isBase64Encoded": False}
    stage = f"/{event['requestContext'].get('stage')}"
    if event.get("version") == "2.0" and f"{event['rawPath']}/".startswith(f"{stage}/"):
        event["rawPath"] = event["rawPath"].removeprefix(stage) or "/"  # only v2 puts the stage into the path
    return event


def _refuse(error: MalformedBase64) -> Event:
    """Answer a hand-made event whose body is not what it says: no gateway makes one, and the app never sees it."""
    problem = problem_of(error)
    headers = {"Content-Type": PROBLEM_TYPE, "Cache-Control": "no-store"}
    body = msgspec.json.encode(problem).decode()
    return {"statusCode": problem.status, "headers": headers, "body": body, "isBase64Encoded": False}
