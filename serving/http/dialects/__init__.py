"""The APIs of other servers, for the clients that exist: one table of their addresses, and the module that answers each.

A dialect's errors are its own too: every module has a `refused`. The app's own routes do not stand here. A route costs half a
millisecond to compile, so this table is read by the first request for an address that is none of the app's own.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from flask import Request, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule

from serving.errors import MalformedRequest
from serving.http.record import Record
from serving.http.requests import ReadObject
from serving.inference import Recogniser
from serving.schemas import Problem
from serving.settings import Settings

Settle = Callable[[Any, str], None]  # an event of uploads, and the id of the request that brought it
Refuse = Callable[[Problem, str], Response]


@dataclass(frozen=True)
class Call:
    """A request, and what there is to answer it with."""

    request: Request
    record: Record
    settings: Settings
    recogniser: Recogniser
    read_object: ReadObject
    settle: Settle | None  # None: uploads come another way, or none come


@dataclass(frozen=True)
class Route:
    method: str
    path: str  # as OpenAPI writes it
    view: str  # module beside this one and its function: (Call, **what the path names) → Response
    header: str = ""  # without it, the address is another's
    open: bool = False  # a platform's probe, which has no key


MODELS = "/v1/models/"  # TensorFlow Serving's; tensorflow.org/tfx/serving/api_rest
SERVABLES = tuple(f"{MODELS}{{name}}{rest}" for rest in ("", "/versions/{version}", "/labels/{label}"))
METADATA = tuple(f"{path}/metadata" for path in SERVABLES)
PREDICT = tuple(f"{path}:predict" for path in SERVABLES)
OTHER_VERBS = re.compile(r":(classify|regress)/?$")
V2 = "/v2"
V2_MODELS = tuple(f"{V2}/models/{{name}}{rest}" for rest in ("", "/versions/{version}"))
OPERATION = "X-Amz-Target"  # names an operation of AWS's JSON protocols

ROUTES = (
    *(Route("GET", path, "tfserving:status") for path in SERVABLES),
    *(Route("GET", path, "tfserving:metadata") for path in METADATA),
    *(Route("POST", path, "tfserving:predict") for path in PREDICT),
    # Open Inference Protocol, version 2: Triton, KServe, MLServer; github.com/kserve/open-inference-protocol
    Route("GET", V2, "open_inference:server"),
    Route("GET", f"{V2}/health/live", "open_inference:live", open=True),
    Route("GET", f"{V2}/health/ready", "open_inference:ready", open=True),
    *(Route("GET", path, "open_inference:model") for path in V2_MODELS),
    *(Route("GET", f"{path}/ready", "open_inference:ready", open=True) for path in V2_MODELS),
    *(Route("POST", f"{path}/infer", "open_inference:infer") for path in V2_MODELS),
    # Amazon Rekognition: the SDK posts to the root of whatever endpoint_url says
    Route("POST", "/", "rekognition:answer", header=OPERATION),
    Route("POST", "/v1/rekognition", "rekognition:answer"),
    # SageMaker: the container's contract, and what the SDK's sagemaker-runtime calls
    Route("GET", "/ping", "probes:loaded", open=True),
    Route("POST", "/invocations", "sagemaker:invoke"),
    Route("POST", "/endpoints/{name}/invocations", "sagemaker:invoke"),
    Route("POST", "/v1/huggingface", "hugging_face:classify"),
    # OpenFaaS: its Community Edition asks nowhere else
    Route("GET", "/_/health", "probes:alive", open=True),
    Route("GET", "/_/ready", "probes:loaded", open=True),
    # CloudEvents: Knative, Event Grid, Eventarc
    Route("POST", "/v1/events", "cloud_events:deliver"),
    Route("OPTIONS", "/v1/events", "cloud_events:allow"),
)
# Addresses below these are a dialect's, those too that are none.
UNDER = {MODELS: "tfserving", f"{V2}/models/": "open_inference"}


class WordConverter(BaseConverter):
    """No verb: `name:predict` is another address than `name`."""

    regex = "[^/:]+"


def answer(call: Call) -> Response | None:
    """What the dialect answers that this address belongs to; nothing where it belongs to none."""
    request = call.request
    try:
        route, named = _addresses(call.settings).match(request.path, request.method)
    except MethodNotAllowed as error:
        if isinstance(request.routing_exception, MethodNotAllowed):  # the app's own address
            return None
        if request.method != "OPTIONS":
            raise
        return Response(headers={"Allow": ", ".join(sorted({*(error.valid_methods or []), "OPTIONS"}))})
    except NotFound:
        _refuse_other_verb(request.path)
        return None
    return _attribute(route.view)(call, **named) if _is_meant(route, request) else None


def knows(path: str) -> bool:
    """Whether an address is a dialect's, whatever the method and the settings."""
    return bool(_addresses(Settings()).allowed_methods(path)) or _other_verb(path) is not None


def is_open(request: Request, settings: Settings) -> bool:
    """Whether it is a platform that asks how this service does."""
    try:
        route: Route = _addresses(settings).match(request.path, request.method)[0]
    except HTTPException:
        return False
    return route.open


def form_of_errors(request: Request, settings: Settings) -> Refuse | None:
    """How the dialect writes errors that this address belongs to; nothing where it belongs to none."""
    for beginning, module in UNDER.items():
        if request.path.startswith(beginning):
            return _attribute(f"{module}:refused")
    addresses = _addresses(settings)
    for method in addresses.allowed_methods(request.path):
        route: Route = addresses.match(request.path, method)[0]
        if _is_meant(route, request):
            return _attribute(f"{route.view.partition(':')[0]}:refused")
    return None


def routes(settings: Settings) -> Iterator[Route]:
    """The table, with the addresses that Vertex AI chooses: TensorFlow Serving's form under others."""
    yield from ROUTES
    if settings.aip_predict_route:
        yield Route("POST", settings.aip_predict_route, "tfserving:predict")
    if settings.aip_health_route:
        yield Route("GET", settings.aip_health_route, "probes:loaded", open=True)


@cache
def _addresses(settings: Settings) -> MapAdapter:
    rules = [
        Rule(
            route.path.replace("{name}", "<word:name>")
            .replace("{label}", "<word:label>")
            .replace("{version}", "<int:version>"),
            endpoint=route,
            methods=[route.method],
        )
        for route in routes(settings)
    ]
    return Map(rules, converters={"word": WordConverter}, strict_slashes=False).bind("")


def _other_verb(path: str) -> "re.Match[str] | None":
    """TensorFlow Serving's verb that is not offered, where the address has one."""
    return OTHER_VERBS.search(path) if path.startswith(MODELS) else None


def _refuse_other_verb(path: str) -> None:
    if verb := _other_verb(path):
        raise MalformedRequest(
            f"{verb[0]} is not offered: the signatures of this model are of the method tensorflow/serving/predict; POST to "
            f"{MODELS}NAME:predict"
        )


def _is_meant(route: Route, request: Request) -> bool:
    return not route.header or route.header in request.headers


def _attribute(view: str) -> Callable[..., Response]:
    module, _, name = view.partition(":")
    found: Callable[..., Response] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
