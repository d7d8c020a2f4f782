"""Azure Blob Storage as Azurite, Microsoft's own emulator; and Google Cloud Storage as tests/support/google_storage.py plays it."""

import base64
import hashlib
import hmac
import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate

import boto3
import pytest
import requests

from tests import ROOT
from tests.support.google_storage import GoogleStorage
from tests.support.processes import free_ports, wait_for

AZURITE = ROOT / "node_modules" / ".bin" / "azurite-blob"
ACCOUNT = "devstoreaccount1"  # Azurite's own, with the key that its documentation publishes
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
KINDS = ("s3", "azurite", "google_storage")  # fixtures that an empty bucket may need


@dataclass(frozen=True)
class Cloud:
    environment: dict[str, str]  # of whoever is to reach it
    make: Callable[[], str]  # a new bucket, called as model/stores/addresses.py calls it
    put: Callable[[str, str], None]  # an empty object of whatever name: its bucket, its key
    move: Callable[[str, str, str], None]  # an object to another tier: its bucket, its key, the tier


def empty_bucket(request: pytest.FixtureRequest, kind: str) -> str:
    """A new bucket, and the variables by which this test and its processes reach it."""
    if kind == "s3":
        request.getfixturevalue("aws")
        boto3.client("s3").create_bucket(Bucket="models")
        return "models"
    cloud: Cloud = request.getfixturevalue(kind)
    for name, value in cloud.environment.items():
        request.getfixturevalue("monkeypatch").setenv(name, value)
    return cloud.make()


@contextmanager
def run_azurite() -> Iterator[Cloud]:
    """Skips the test where it is not installed."""
    if not AZURITE.exists():
        pytest.skip("needs Azurite: npm ci")
    (port,) = free_ports(1)
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--silent"]
    command = [AZURITE, *options, "--skipApiVersionCheck", "--disableTelemetry"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    try:
        wait_for(port)
        url = f"http://127.0.0.1:{port}"

        def make() -> str:
            name = f"test-{uuid.uuid4().hex}"
            _call(url, name, {"restype": "container"})
            return f"az://{name}"

        def put(bucket: str, key: str) -> None:
            _call(url, f"{bucket.removeprefix('az://')}/{key}", {}, {"x-ms-blob-type": "BlockBlob"})

        def move(bucket: str, key: str, tier: str) -> None:
            _call(url, f"{bucket.removeprefix('az://')}/{key}", {"comp": "tier"}, {"x-ms-access-tier": tier})

        environment = {"AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": KEY}
        yield Cloud(environment | {"AZURE_STORAGE_ENDPOINT": f"{url}/{ACCOUNT}"}, make, put, move)
    finally:
        process.kill()  # what it keeps is of no use any more
        process.wait()


def _call(url: str, path: str, query: dict[str, str], more: dict[str, str] | None = None) -> None:
    """A PUT without a body, signed as learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key says."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02", **(more or {})}
    signed = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    resource = f"/{ACCOUNT}/{ACCOUNT}/{path}" + "".join(f"\n{name}:{value}" for name, value in sorted(query.items()))
    text = "PUT" + 12 * "\n" + signed + resource
    digest = hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    requests.put(f"{url}/{ACCOUNT}/{path}", params=query, headers=headers, timeout=60).raise_for_status()


@contextmanager
def run_google_storage() -> Iterator[Cloud]:
    with GoogleStorage().serve() as storage:
        account = {"gcs_base_url": storage.url, "disable_oauth": True}
        account |= {"client_email": "", "private_key": "", "private_key_id": ""}

        def make() -> str:
            name = f"test-{uuid.uuid4().hex}"
            storage.buckets.add(name)
            return f"gs://{name}"

        def put(bucket: str, key: str) -> None:
            storage.put((bucket.removeprefix("gs://"), key), b"", None)

        yield Cloud({"GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(account)}, make, put, _never)


def _never(bucket: str, key: str, tier: str) -> None:
    raise NotImplementedError("every storage class of Google's can be read at once")
