"""Lambda's HTTP events in front of a WSGI app: each is checked against a type, and only what is typed goes on.

So null, missing and wrong fields, which serverless_wsgi would stumble over, end here: as absent, or refused by their names.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
import serverless_wsgi
from flask import Flask
from msgspec import Struct, field
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from model.errors import RequestError
from serving.errors import BodyTooLarge, MalformedBase64, UnknownEvent
from serving.http.addresses import own_path, rest_prefixes, sub_paths
from serving.http.base64_text import decode_base64
from serving.problems import PROBLEM_TYPE, problem_of

# It would base64 every error, and Rekognition's JSON, otherwise.
serverless_wsgi.TEXT_MIME_TYPES.extend([PROBLEM_TYPE, "application/x-amz-json-1.1"])

UNDERSTOOD = "API Gateway REST (v1) and HTTP API (v2), Lambda Function URL, Application Load Balancer"
VERSION_2 = "2.0"
AWS_SERVICE = re.compile(r"aws[.:][a-z0-9-]{1,40}")  # what an event may call its source
HOP_BY_HOP = (
    frozenset(  # of the connection that ended at the gateway (RFC 9110, section 7.6.1): the event holds the whole body
        ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
    )
)
AUTHORIZERS = {"methodArn", "routeArn"}  # fields of the events by which API Gateway asks whether somebody may call
MOST_ANSWER = 6 * 10**6  # bytes, Lambda's limit, of the answer as JSON
ESCAPED = 12  # bytes of a character in it at most: awslambdaric may write what is not ASCII as \uXXXX, or two of these
OPERATION = "x-amz-target"  # with it, a POST to the root is Rekognition's
BREAKS = re.compile(r"[\r\n\0]+")  # no header holds them

Event = dict[str, Any]
Values = dict[str, str | None]
T = TypeVar("T")
Lists = dict[str, list[str | None] | None]


class Call(Struct, frozen=True):
    """What version 2 tells of the request itself."""

    method: str


class RequestContext(Struct, frozen=True, rename="camel"):
    stage: str | None = None
    domain_name: str | None = None
    elb: dict[str, Any] | None = None
    http: Call | None = None


class Request(Struct, frozen=True, rename="camel"):
    """What all the senders' events have in common; both versions' own fields are optional."""

    request_context: RequestContext
    version: str | None = None
    http_method: str | None = None
    path: str | None = None
    raw_path: str | None = None
    raw_query_string: str | None = None
    resource: str | None = None
    path_parameters: Values | None = None
    headers: Values | None = None
    multi_headers: Lists | None = field(default=None, name="multiValueHeaders")
    query: Values | None = field(default=None, name="queryStringParameters")
    multi_query: Lists | None = field(default=None, name="multiValueQueryStringParameters")
    cookies: list[str | None] | None = None
    body: str | None = None
    is_base64_encoded: bool | None = field(default=None, name="isBase64Encoded")


def answer(app: Flask, event: Any, context: Any) -> Event:
    """Answer one HTTP event. Raises UnknownEvent where the event is none."""
    request = _check(event)
    try:
        plain = _plain(request)
    except MalformedBase64 as error:
        return _refuse(error)
    name = "rawPath" if request.version == VERSION_2 else "path"
    own = _own_path(app, plain[name], list(_prefixes(request, plain[name], app.config["BASE_PATH"])))
    plain[name] = own.replace("?", "%3F")  # no query stands in a path, but serverless_wsgi cuts there
    response: Event = serverless_wsgi.handle_request(app, plain, context)
    if len(response.get("body", "")) > MOST_ANSWER // ESCAPED and (size := len(json.dumps(response))) > MOST_ANSWER:
        return _refuse(
            BodyTooLarge(f"the answer has {size:,} bytes, Lambda sends 6 MB: ask for fewer images or labels")
        )
    return response


def _check(event: Any) -> Request:
    try:
        request = msgspec.convert(event, Request)
    except msgspec.ValidationError as error:  # its sentences name types and fields, no contents
        place = f": {error}" if isinstance(event, dict) and isinstance(event.get("requestContext"), dict) else ""
        raise UnknownEvent(_sentence(event) + place) from None
    except (UnicodeEncodeError, RecursionError):
        raise UnknownEvent(f"{_sentence(event)}: text that is none, or nesting without end") from None
    if AUTHORIZERS & event.keys():  # they hold all that an HTTP request does
        raise UnknownEvent(f"{_sentence(event)}: this is an authorizer's request")
    whole = request.raw_path is not None and request.request_context.http is not None
    if not (whole if request.version == VERSION_2 else request.path is not None and request.http_method is not None):
        raise UnknownEvent(_sentence(event))
    return request


def _sentence(event: Any) -> str:
    return f"handler.http understands {UNDERSTOOD}, not {_shape(event)}"


def _shape(event: Any) -> str:
    """What it is, by names only: an event's contents are nobody's to log."""
    if not isinstance(event, dict):
        return f"a {type(event).__name__}"
    records = event.get("Records")
    first = records[0] if isinstance(records, list) and records else None
    sources = [first.get("eventSource"), first.get("EventSource")] if isinstance(first, dict) else [event.get("source")]
    source = next((source for source in sources if isinstance(source, str) and AWS_SERVICE.fullmatch(source)), "")
    fields = _text(", ".join(sorted(str(name)[:40] for name in event)[:20]))
    return f"an event with the fields {fields or 'none'}" + (f" from {source}" if source else "")


def _plain(request: Request) -> Event:
    """The event as serverless_wsgi takes it: of text that UTF-8 can write, without nulls, the body as the bytes it stands for."""
    body = request.body or ""
    data = decode_base64(body) if request.is_base64_encoded else body.encode("utf-8", "replace")
    headers = {_line(name): _line(value) for name, value in _own(request.headers).items() if value is not None}
    event: Event = {"headers": headers, "body": data, "isBase64Encoded": False, "requestContext": {}}
    if request.version == VERSION_2 and request.request_context.http:
        cookies = [_line(cookie) for cookie in request.cookies or [] if cookie is not None]
        context = {"http": {"method": _text(request.request_context.http.method)}}
        raw = {"rawPath": _text(request.raw_path), "rawQueryString": _text(request.raw_query_string)}
        return event | raw | {"version": VERSION_2, "requestContext": context, "cookies": cookies}
    event |= {"path": _text(request.path), "httpMethod": _text(request.http_method)}
    query = {_text(name): _text(value) for name, value in (request.query or {}).items() if value is not None}
    event |= {"queryStringParameters": query}
    event |= {"multiValueQueryStringParameters": _lists(request.multi_query, _text)}
    event |= {"multiValueHeaders": _lists(_own(request.multi_headers), _line)}
    return event | ({"requestContext": {"elb": {"targetGroupArn": ""}}} if request.request_context.elb else {})


def _own(headers: dict[str, T] | None) -> dict[str, T]:
    """The headers of the request itself; WSGI does not tell - from _."""
    return {name: value for name, value in (headers or {}).items() if name.lower().replace("_", "-") not in HOP_BY_HOP}


def _lists(lists: Lists | None, clean: Callable[[str], str]) -> dict[str, list[str]]:
    return {
        clean(name): [clean(value) for value in values or [] if value is not None]
        for name, values in (lists or {}).items()
    }


def _line(text: str) -> str:
    return BREAKS.sub(" ", _text(text))


def _text(text: str | None) -> str:
    return (text or "").encode("utf-8", "replace").decode()  # JSON may hold halves of surrogate pairs


def _prefixes(request: Request, path: str, base_path: str) -> Iterator[str]:
    """What may stand before the app's own path, the surest first."""
    context = request.request_context
    stage = f"/{context.stage}" if context.stage else ""
    if base_path:
        yield from (base_path.rstrip("/"), stage, f"{stage}{base_path}".rstrip("/"))
        return
    if request.resource and request.version != VERSION_2:
        parameters = {name: value or "" for name, value in (request.path_parameters or {}).items()}
        yield from rest_prefixes(path, request.resource, parameters)
    yield stage
    if context.domain_name or context.elb:
        yield from sub_paths(path if _may_mean_root(request) else path.rstrip("/"), context.domain_name or "")


def _may_mean_root(request: Request) -> bool:
    """Whether the root has an answer to it: to anything else, an unknown address with a slash at its end is no sub-path."""
    call = request.request_context.http
    method = call.method if call else request.http_method
    names = (*(request.headers or {}), *(request.multi_headers or {}))
    return method in ("GET", "HEAD", "OPTIONS") or any(name.lower() == OPERATION for name in names)


def _own_path(app: Flask, path: str, prefixes: list[str]) -> str:
    knows = _knows(app)
    own = own_path(path, prefixes, knows)
    if knows(own):
        return own
    from serving.http import dialects

    return own_path(path, prefixes, dialects.knows)


def _knows(app: Flask) -> Callable[[str], bool]:
    """Whether an address is the app's, whatever the method."""
    addresses = app.url_map.bind("")

    def knows(path: str) -> bool:
        try:
            addresses.match(path, method="GET")
        except MethodNotAllowed:
            return True
        except HTTPException:
            return False
        return True

    return knows


def _refuse(error: RequestError) -> Event:
    """Answer for the app: to a hand-made event whose body is not what it says, which it never sees, or where its answer cannot go."""
    problem = problem_of(error)
    headers = {"Content-Type": PROBLEM_TYPE, "Cache-Control": "no-store"}
    body = msgspec.json.encode(problem).decode()
    return {"statusCode": problem.status, "headers": headers, "body": body, "isBase64Encoded": False}
