"""Events of other clouds and of Knative, as CloudEvents over HTTP: an object was created, so it is settled as an upload.

Binary, structured and batched mode, and the handshakes without which Event Grid delivers nothing. What an event means is for
serving/uploads to say: it carries what S3 says of an object, or it is Azure Blob Storage's or Google Cloud Storage's own. An answer is
empty: Knative takes any body for an event.
Sources: github.com/cloudevents/spec (http-protocol-binding.md, http-webhook.md, adapters/aws-s3.md).
"""

from typing import Any
from urllib.parse import unquote

import msgspec
from flask import Request, Response
from msgspec import Struct

from serving.errors import MalformedRequest, UnknownEvent, UploadsNotOffered
from serving.http.base64_text import decode_base64
from serving.http.bodies import read_body
from serving.http.dialects import Call
from serving.http.requests import read_json
from serving.http.responses import json_answer, refused
from serving.schemas import CloudEvent

__all__ = ["allow", "deliver", "refused"]

STRUCTURED, BATCHED = "application/cloudevents+json", "application/cloudevents-batch+json"
WHOLE = ("Microsoft.Storage.", "google.cloud.storage.")  # types of events whose attributes say what the data does not
VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"


class _GridEvent(Struct, rename="camel"):
    """Event Grid's own schema."""

    event_type: str
    data: Any = None


def allow(call: Call) -> Response:
    """Whoever has a key may deliver, as often as they like (WebHook-* are the handshake of CloudEvents)."""
    origin = call.request.headers.get("WebHook-Request-Origin")
    agreed = {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"} if origin else {}
    return Response(headers={"Allow": "OPTIONS, POST"} | agreed)


def deliver(call: Call) -> Response:
    """Raises what may pass too: then the sender delivers again."""
    if "aeg-event-type" in call.request.headers and call.request.mimetype not in (STRUCTURED, BATCHED):
        return _deliver_of_grid(call)
    events = _events(call.request)
    if call.settle is None or not call.settings.uploads_bucket:
        raise UploadsNotOffered("events are settled where UPLOADS_BUCKET is set; on AWS Lambda they come by its queue")
    if events:  # a batch may be empty
        call.settle([_told(event) for event in events], call.record.request_id)
    return Response(status=204)


def _deliver_of_grid(call: Call) -> Response:
    """Of Event Grid's own schema the handshake is understood: it is on before CloudEvents are chosen."""
    for event in read_json(read_body(call.request), list[_GridEvent]):
        if event.event_type == VALIDATION:
            return json_answer({"validationResponse": _validation_code(event.data)})
    raise UnknownEvent("this is Event Grid's own schema: let the subscription deliver in the CloudEvents schema 1.0")


def _validation_code(data: Any) -> str:
    code = data.get("validationCode") if isinstance(data, dict) else None
    if not isinstance(code, str):
        raise UnknownEvent("a subscription's validation without a validationCode")
    return code


def _events(request: Request) -> list[CloudEvent]:
    body = read_body(request)
    if request.mimetype == BATCHED:
        return read_json(body, list[CloudEvent])
    if request.mimetype == STRUCTURED:
        return [read_json(body, CloudEvent)]
    named = {name: request.headers.get(f"ce-{name}", "") for name in ("id", "source", "type", "specversion")}
    if not all(named.values()):
        raise UnknownEvent(
            f"no CloudEvent: send it with the headers ce-id, ce-source, ce-specversion and ce-type, or as {STRUCTURED} or {BATCHED}"
        )
    about = {"subject": unquote(request.headers.get("ce-subject", "")), "data": read_json(body, dict[str, Any])}
    try:
        return [msgspec.convert(named | about, CloudEvent)]
    except msgspec.ValidationError as error:
        raise MalformedRequest(f"the headers ce-*: {error}") from error


def _told(event: CloudEvent) -> Any:
    """What the sender says of an object: the event's data, or the event."""
    data = event.data if event.data_base64 is None else read_json(decode_base64(event.data_base64), dict[str, Any])
    return {"type": event.type, "subject": event.subject, "data": data} if event.type.startswith(WHOLE) else data
