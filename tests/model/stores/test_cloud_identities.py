"""Without a key, the identity that the platform gives the container is asked for: Azure's managed identity, Google's service account."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from model.stores.objects import open_bucket

AZURES = b'{"access_token": "TOKEN", "expires_on": "4102444800", "token_type": "Bearer"}'
GOOGLES = b'{"access_token": "TOKEN", "expires_in": 3600, "token_type": "Bearer"}'


class _Handler(BaseHTTPRequestHandler):
    """The platform's identity service, and the store."""

    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        secret = self.headers["x-identity-header"] or self.headers["metadata-flavor"] or self.headers["authorization"]
        self.asked.append((path, secret))
        token = GOOGLES if path.startswith("/computeMetadata/") else AZURES
        body = b"content" if path.startswith("/photos/") else token
        self.send_response(200)
        for name, value in {"Content-Length": len(body), "ETag": '"1"', "x-goog-generation": 1}.items():
            self.send_header(name, str(value))
        self.send_header("Last-Modified", "Sat, 28 Nov 2026 12:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def platform() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """Its address, and what it was asked, with the header that shows who asks."""
    asked: list[tuple[str, str | None]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"asked": asked}))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_a_container_app_reads_by_its_managed_identity(platform, monkeypatch) -> None:
    address, asked = platform
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"http://{address}")
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{address}/msi/token")  # as Container Apps and App Service set it
    monkeypatch.setenv("IDENTITY_HEADER", "secret")
    assert open_bucket("az://photos").read("a", 10) == b"content"
    assert asked == [("/msi/token", "secret"), ("/photos/a", "Bearer TOKEN")]


def test_a_service_of_cloud_run_reads_by_its_own_account(platform, monkeypatch, tmp_path) -> None:
    address, asked = platform
    monkeypatch.setenv("HOME", str(tmp_path))  # where nobody has logged in with gcloud
    monkeypatch.setenv("GOOGLE_BASE_URL", f"http://{address}")
    monkeypatch.setenv("GCE_METADATA_HOST", address)
    assert open_bucket("gs://photos").read("a", 10) == b"content"
    account = "/computeMetadata/v1/instance/service-accounts/default/token"
    assert asked == [(account, "Google"), ("/photos/a", "Bearer TOKEN")]
