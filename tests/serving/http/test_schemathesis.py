"""The app against its own OpenAPI document: whatever may be sent by it is answered as it says, over WSGI and as Lambda's events."""

import base64
from http import HTTPStatus

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks
from werkzeug.wrappers import Request, Response

from serving.http.lambda_adapter import answer
from tests.support.fakes import colour_app

APP = colour_app()
# Not among them: that what a schema allows is taken, and what it does not is refused. Random bytes are no image, and a base64
# text or a form that does not say so is taken though no schema speaks of it.
KEPT = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.allow_header_conformance,
    checks.unsupported_method,
]
SEEDED = settings(
    max_examples=12,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def over_lambda(version):
    """The app behind a gateway: a WSGI app that makes an event of each request and a response of its answer."""

    @Request.application
    def gateway(request):
        body, headers = request.get_data(), {name.lower(): value for name, value in request.headers.items()}
        event = {"headers": headers, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        if version == "2.0":
            context = {"http": {"method": request.method, "path": request.path}, "stage": "$default"}
            path = request.environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
            query = request.query_string.decode("latin-1")
            event |= {"version": version, "rawPath": path, "rawQueryString": query, "requestContext": context}
        else:
            event |= {"httpMethod": request.method, "path": request.path, "requestContext": {"stage": "dev"}}
            event |= {"multiValueQueryStringParameters": request.args.to_dict(flat=False)}
        answered = answer(APP, event, None)
        data = answered.get("body", "")
        data = base64.b64decode(data) if answered.get("isBase64Encoded") else data
        return Response(data, HTTPStatus(answered["statusCode"]), answered["headers"])

    return gateway


DIRECT = schemathesis.openapi.from_wsgi("/openapi.json", APP)
HTTP_API = schemathesis.openapi.from_wsgi("/openapi.json", over_lambda("2.0"))
REST_API = schemathesis.openapi.from_wsgi("/openapi.json", over_lambda(None))


@DIRECT.parametrize()
@SEEDED
def test_over_wsgi_every_answer_is_as_described(case):
    case.call_and_validate(checks=KEPT)


@HTTP_API.parametrize()
@SEEDED
def test_as_an_event_of_an_http_api_every_answer_is_as_described(case):
    case.call_and_validate(checks=KEPT)


@REST_API.parametrize()
@SEEDED
def test_as_an_event_of_a_rest_api_every_answer_is_as_described(case):
    case.call_and_validate(checks=KEPT)
