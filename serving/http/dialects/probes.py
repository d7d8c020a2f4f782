"""What platforms ask at addresses of their own: whether the process is alive, and whether requests should come."""

from flask import Response

from serving.http.dialects import Call
from serving.http.responses import refused

__all__ = ["alive", "loaded", "refused"]


def alive(_: Call) -> Response:
    return Response(status=200)


def loaded(call: Call) -> Response:
    """Load the model if that is not done yet: no sooner should requests come."""
    call.recogniser.classifier(call.record.timings)
    return Response(status=200)
