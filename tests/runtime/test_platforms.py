"""The server under the contract of each platform: its environment, its probes, its way of sending requests and of ending them."""

import hashlib
import json
import signal
import socket
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection

import pytest

from tests.support.fakes import picture
from tests.support.platforms import FOLDER, manifests
from tests.support.processes import free_ports, listening
from tests.support.server import COMMAND

KEY = "a-key"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()
ENDS_WITHIN = 30  # s; what most platforms grant


@dataclass(frozen=True)
class Platform:
    """How a platform runs the server."""

    environment: dict[str, str]
    start: str  # where it asks before it sends requests
    headers: dict[str, str]  # what it adds to them
    command: tuple[str, ...] = tuple(COMMAND)
    alive: str = "/health"  # where it asks later
    port: str = "PORT"  # the variable that says where to listen


def container(path, *way):
    """Of a manifest: the values that it sets, and where its startup probe asks."""
    document = manifests(path)[0]
    for step in way:
        document = document[step]
    environment = {entry["name"]: entry["value"] for entry in document["env"] if "value" in entry}
    probe = document.get("startupProbe") or document["probes"][0]
    return environment, probe["httpGet"]["path"]


def functions():
    description = json.loads((FOLDER / "azure-functions" / "host.json").read_text())["customHandler"]["description"]
    return (sys.executable, *description["arguments"])


POD = ("spec", "template", "spec", "containers", 0)
OPENFAAS = manifests("openfaas/stack.yaml")[0]["functions"]["recognition"]
FORWARDED = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
PLATFORMS = {
    "knative": Platform(
        *container("knative/service.yaml", *POD),
        FORWARDED | {"K-Proxy-Request": "activator", "Forwarded": "for=192.0.2.7"},
    ),
    "cloud-run": Platform(
        *container("cloud-run/service.yaml", *POD),
        FORWARDED | {"X-Cloud-Trace-Context": "105445aa7843bc8bf206b12000100000/1"},
    ),
    "kubernetes": Platform(*container("kubernetes/recognition.yaml", *POD), FORWARDED),
    "azure-container-apps": Platform(
        *container("azure-container-apps/containerapp.yaml", "properties", "template", "containers", 0),
        FORWARDED | {"X-Request-Id": "0f8fad5b-d9cb-469f-a165-70867728950e"},
    ),
    "openfaas": Platform(
        OPENFAAS["environment"],
        OPENFAAS["annotations"]["com.openfaas.ready.http.path"],
        {"X-Call-Id": "1", "X-Start-Time": "1"},
        alive=OPENFAAS["annotations"]["com.openfaas.health.http.path"],
    ),
    "azure-functions": Platform(
        {"PORT": "1", "FUNCTIONS_WORKER_RUNTIME": "custom", "WEB_CONCURRENCY": "1"},
        "/ready",
        {"X-Azure-Functions-InvocationId": "1", "X-Original-URL": "/v1/classify", "X-Functions-Key": "k"},
        command=functions(),
        port="FUNCTIONS_CUSTOMHANDLER_PORT",
    ),
    "sagemaker": Platform({"WEB_CONCURRENCY": "1"}, "/ping", {}, command=(*COMMAND, "serve")),
}


@contextmanager
def run(platform, model, log):
    (port,) = free_ports(1)
    ours = {"MODEL_URI": model, "MODEL_CACHE": str(log.parent / "models"), "API_KEYS": DIGEST}
    environment = platform.environment | ours | {platform.port: str(port)}
    with listening(platform.command, port, environment, log) as process:
        yield process, port


def ask(port, method, path, body=None, **headers):
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    status, data = answer.status, answer.read()
    connection.close()
    return status, data


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_the_server_keeps_the_platforms_contract(tiny_model, tmp_path, platform):
    with run(platform, tiny_model, tmp_path / "log") as (process, port):
        assert ask(port, "GET", platform.start, User_Agent="kube-probe/1.33")[0] == 200
        assert ask(port, "GET", platform.alive, K_Network_Probe="queue")[0] == 200
        assert ask(port, "POST", "/v1/classify", picture(), **platform.headers)[0] == 401
        status, answer = ask(port, "POST", "/v1/classify", picture(), **platform.headers, X_Api_Key=KEY)
        assert (status, json.loads(answer)["labels"][0]["name"]) == (200, "red")

        body = picture()
        with socket.create_connection(("127.0.0.1", port), timeout=60) as held:
            head = f"POST /v1/classify HTTP/1.1\r\nHost: a\r\nX-Api-Key: {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
            held.sendall(head.encode() + body[:100])
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            held.sendall(body[100:])
            assert held.recv(100).startswith(b"HTTP/1.1 200")
        assert process.wait(ENDS_WITHIN) == 0


def test_http_2_with_prior_knowledge_is_none_of_its_trades(tiny_model, tmp_path):
    """So manifests name the port http1: a platform that spoke h2c to it would get an answer of HTTP/1.1."""
    with run(PLATFORMS["knative"], tiny_model, tmp_path / "log") as (_, port):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 ")
        assert ask(port, "GET", "/health", Connection="Upgrade, HTTP2-Settings", Upgrade="h2c")[0] == 200
