"""Every way in which an address reaches the app, one row each."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.http.addresses import one_slash, own_path
from serving.http.lambda_adapter import answer
from serving.settings import Settings
from tests.support.fakes import base64_of, colour_app, picture

OURS, AWS = "api.example.com", "r3pmxmplak.execute-api.us-east-2.amazonaws.com"
IMAGE = {"body": base64_of(picture()), "isBase64Encoded": True}


def rest(path, host=OURS, stage="dev", resource="/v1/{proxy+}", proxy="classify", **more):
    """API Gateway REST, and payload 1.0 of an HTTP API."""
    return {
        "httpMethod": "POST",
        "path": path,
        "resource": resource,
        "pathParameters": {"proxy": proxy},
        "headers": {"Host": host},
        "requestContext": {"stage": stage, "domainName": host},
        **more,
    }


def http(path, host=OURS, stage="$default"):
    """API Gateway HTTP API, and Function URL."""
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": {"host": host},
        "requestContext": {"stage": stage, "domainName": host, "http": {"method": "POST"}},
    }


def alb(path):
    return {"httpMethod": "POST", "path": path, "headers": {}, "requestContext": {"elb": {"targetGroupArn": "a"}}}


TABLE = [
    # what it is, its event, BASE_PATH
    ("REST, AWS's address", rest("/v1/classify", AWS), ""),
    ("REST, custom domain", rest("/v1/classify"), ""),
    ("REST, custom domain with a base path", rest("/recognise/v1/classify"), ""),
    ("REST, custom domain with a base path of two parts", rest("/a/b/v1/classify"), ""),
    ("REST, mapping without a stage", rest("/dev/v1/classify"), ""),
    ("REST, base path and mapping without a stage", rest("/recognise/dev/v1/classify"), ""),
    ("REST, a resource for everything", rest("/recognise/v1/classify", resource="/{proxy+}", proxy="v1/classify"), ""),
    ("REST, parameters that are null", rest("/recognise/v1/classify", resource="/{proxy+}", pathParameters=None), ""),
    (
        "REST, a resource with a part of its own",
        rest("/api/v1/classify", AWS, "dev", "/api/{proxy+}", "v1/classify"),
        "",
    ),
    ("REST, that under a base path", rest("/a/api/v1/classify", OURS, "dev", "/api/{proxy+}", "v1/classify"), ""),
    (
        "REST, a resource of its own",
        rest("/api/v1/classify", AWS, resource="/api/v1/classify", pathParameters=None),
        "",
    ),
    ("REST, a base path named v1", rest("/v1/v1/classify"), ""),
    ("payload 1.0 with a stage", rest("/dev/v1/classify", AWS, version="1.0", resource="$default"), ""),
    ("payload 1.0, stage named v1", rest("/v1/v1/classify", AWS, "v1", "$default", version="1.0"), ""),
    ("HTTP API, AWS's address", http("/v1/classify", AWS), ""),
    ("HTTP API with a stage", http("/dev/v1/classify", AWS, "dev"), ""),
    ("HTTP API, stage named v1", http("/v1/v1/classify", AWS, "v1"), ""),
    ("HTTP API, stage named v1 that is not in the path", http("/v1/classify", OURS, "v1"), ""),
    ("HTTP API, custom domain with a mapping", http("/recognise/v1/classify"), ""),
    ("HTTP API, mapping and stage", http("/recognise/v1/classify", OURS, "dev"), ""),
    ("Function URL", http("/v1/classify", "abc.lambda-url.us-east-1.on.aws"), ""),
    ("load balancer", alb("/v1/classify"), ""),
    ("load balancer with a sub-path", alb("/recognise/v1/classify"), ""),
    ("BASE_PATH in the path", alb("/recognise/v1/classify"), "/recognise"),
    ("BASE_PATH of two parts", http("/team/recognise/v1/classify"), "/team/recognise/"),
    ("BASE_PATH taken off on the way", http("/v1/classify"), "/recognise"),
    ("BASE_PATH behind a stage", http("/dev/recognise/v1/classify", AWS, "dev"), "/recognise"),
    ("BASE_PATH and a stage alone", http("/dev/v1/classify", AWS, "dev"), "/recognise"),
    ("no sub-path, said so", http("/v1/classify"), "/"),
    ("two slashes", http("//v1//classify", AWS), ""),
    ("two slashes behind a stage", http("/dev//v1/classify", AWS, "dev"), ""),
    ("a slash at the end", alb("/v1/classify/"), ""),
]


@pytest.mark.parametrize(("event", "base_path"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_an_address_is_found_wherever_the_app_lies(event, base_path):
    response = answer(colour_app(Settings(base_path=base_path)), event | IMAGE, None)
    assert response["statusCode"] == 200, response["body"]


@pytest.mark.parametrize(("event", "base_path"), [row[1:] for row in TABLE[:-3]], ids=[row[0] for row in TABLE[:-3]])
@pytest.mark.parametrize("page", ["", "docs", "openapi.json", "health"])
def test_pages_lie_there_too_and_point_to_their_neighbours_only(event, base_path, page):
    event = json.loads(json.dumps(event).replace("v1/classify", page).replace("POST", "GET"))
    if "resource" in event:
        event |= {"resource": f"/{page}", "pathParameters": None}
    response = answer(colour_app(Settings(base_path=base_path)), event, None)
    assert response["statusCode"] == 200
    assert 'href="/' not in response["body"]
    assert 'src="/' not in response["body"]
    if page == "openapi.json":
        assert json.loads(response["body"])["servers"] == [{"url": "."}]


@pytest.mark.parametrize(
    ("event", "base_path"),
    [
        (http("/develop/v1/classify", AWS, "dev"), ""),
        (http("/recognise/v1/classify", AWS), ""),
        (http("/recognise/v1/classify"), "/"),
        (http("/other/v1/classify"), "/recognise"),
        (http("/recognised/v1/classify"), "/recognise"),
        (http("/nothing/here"), ""),
        (alb("/a/b/c/d/e/f/v1/classify"), ""),
        (rest("/classify"), ""),
        (http("/recognise/v1/clasify/"), ""),
        (alb("/recognise/v1/clasify/"), ""),
        (rest("/recognise/v1/clasify/", resource="/{proxy+}", pathParameters=None), ""),
        (rest("/recognise/v1/classify", AWS, resource="/{proxy+}", proxy="recognise/v1/classify"), ""),
    ],
)
def test_what_is_not_ours_stays_unknown(event, base_path):
    assert answer(colour_app(Settings(base_path=base_path)), event | IMAGE, None)["statusCode"] == 404


@pytest.mark.parametrize("prefix", ["", "/dev", "/recognise", "/a/b"])
@pytest.mark.parametrize("verb", ["classify", "regress"])
def test_a_verb_that_is_not_offered_is_refused_by_name_wherever_the_app_lies(prefix, verb):
    path = f"{prefix}/v1/models/colours:{verb}"
    for event in (
        http(path, OURS, "dev"),
        alb(path),
        rest(path, resource="/{proxy+}", proxy=f"v1/models/colours:{verb}"),
    ):
        response = answer(colour_app(), event | {"body": "{}"}, None)
        assert (response["statusCode"], f":{verb} is not offered" in response["body"]) == (400, True)


def test_rekognitions_operations_reach_the_root_of_a_sub_path():
    event = http("/recognise/") | IMAGE
    event["headers"] |= {"X-Amz-Target": "RekognitionService.Unknown", "content-type": "application/x-amz-json-1.1"}
    assert answer(colour_app(), event, None)["statusCode"] == 400


@pytest.mark.parametrize(
    "path", ["/recognise/health", "/recognise//health", "/health", "//health", "/recognise/docs", "/recognise"]
)
def test_a_proxy_may_leave_the_sub_path_or_take_it_off(path):
    client = colour_app(Settings(base_path="/recognise")).test_client()
    assert client.get(path).status_code == 200


def test_without_a_sub_path_a_server_answers_its_own_addresses_only():
    client = colour_app().test_client()
    assert client.get("/recognise/health").status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/openapi.json", "/health", "/ready", "/v1/model", "/v1/models/colours"]
)
def test_head_is_where_get_is(client, path):
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.data) == (got.status_code, b"")
    assert head.headers["Content-Length"] == got.headers["Content-Length"] or path in ("/", "/docs")  # a nonce each


@pytest.mark.parametrize(
    "method", ["OPTIONS", "HEAD", "GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "FOO", "get", "é"]
)
@pytest.mark.parametrize(
    "path", ["/", "/health", "/v1/classify", "/v1/models/colours:predict", "/v1/uploads", "/v1/results/x", "/no"]
)
def test_no_method_with_a_body_and_a_query_is_our_fault(client, method, path):
    body = b'{"image": {"bytes": "' + bytes(2000)
    for content_type in ("application/json", "multipart/form-data", "application/x-www-form-urlencoded", "é;boundary="):
        response = client.open(f"{path}?a=%ff&top_k[]=1&&=;%", method=method, data=body, content_type=content_type)
        assert response.status_code < 500, response.text


def test_a_parameter_that_only_passes_caches_is_no_option(client):
    assert client.post("/v1/classify?_=1699999999&top_k=1", data=picture()).status_code == 200


@given(path=st.text(alphabet="/ab.%", max_size=12), prefixes=st.lists(st.text(alphabet="/ab", max_size=4), max_size=3))
def test_an_own_path_is_a_known_one_or_the_path_itself(path, prefixes):
    known = {"/a", "/b/a", "/"}
    found = own_path(path, prefixes, known.__contains__)
    assert found in known or found == one_slash(path)


@pytest.mark.parametrize("query", ["\xff", "top_k=\xe9", "\xc3\xa9=1", "a=\xff&top_k=1"])
def test_a_query_of_bytes_that_nobody_escaped_is_no_fault_of_ours(client, query):
    answer = client.post("/v1/classify", data=picture(), environ_overrides={"QUERY_STRING": query})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed_request")


def test_a_parameter_beside_unescaped_bytes_is_read(client):
    answer = client.post("/v1/classify", data=picture(), environ_overrides={"QUERY_STRING": "_=\xff&top_k=1"})
    assert len(answer.get_json()["labels"]) == 1
