"""One of a model's golden images, sent the whole way: to the app of this shell, to a deployed function, or over HTTP."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
import numpy as np

from model.classifier import load_version
from model.engine import engine_files
from model.golden import SCORES
from model.manifest import GOLDEN
from model.stores.uri import resolve
from ops.checks import Finding, Severity
from ops.inspection import Stack
from serving.settings import Settings

AS_WELL = 0.1  # in probability; the same code on other processors is off by 0.03
UNREACHED = 0  # in a status's place
MOST_READ = 2**20  # bytes of an answer; the service's own has a few thousand
MOST_SHOWN = 500  # characters of what else than the service answers
ADDRESS = "give the address that `npx serverless info` tells, or your platform's own"
Ask = Callable[[bytes], tuple[int, Any]]  # image → status and body of POST /v1/classify, whoever answers it


@dataclass(frozen=True)
class Sample:
    """A golden image of a model, and what it must be taken for."""

    image: bytes
    labels: list[str]  # the first one, and those that score as well as it: other processors round differently
    version: int
    bytes_needed: int  # of /tmp, for the files of the engine that runs it


def load_sample(settings: Settings) -> Sample:
    """Pull and prove the model as the function does. Raises ModelError or StoreError."""
    version = resolve(settings.model_uri)
    classifier = load_version(version, settings.engine, settings.threads, settings.model_cache)
    manifest, engine = classifier.manifest, classifier.engine.name
    golden = [path for path in manifest.files if path.startswith(GOLDEN)]
    directory = version.pull(manifest, golden, settings.model_cache)
    expected = json.loads((directory / SCORES).read_text())
    file, scores = max(expected.items(), key=lambda entry: max(entry[1][engine]))  # the surest
    ranked = np.argsort(scores[engine])[::-1]
    return Sample(
        image=(directory / GOLDEN / file).read_bytes(),
        labels=[manifest.labels[i] for i in ranked if scores[engine][i] > max(scores[engine]) - AS_WELL],
        version=classifier.version,
        bytes_needed=sum(manifest.files[path].size for path in engine_files(engine, manifest)),
    )


def round_trip(sample: Sample, ask: Ask) -> Iterator[Finding]:
    status, body = ask(sample.image)
    if status == UNREACHED:
        yield Finding(Severity.ERROR, body["detail"], ADDRESS)
        return
    if status != 200:
        said = (body.get("detail") if isinstance(body, dict) else None) or body
        what = f"POST /v1/classify answered {status}: {str(said)[:MOST_SHOWN]}"
        yield Finding(Severity.ERROR, what, "the reason is in the function's log, under the request id")
        return
    try:
        named, version = body["labels"][0]["name"], body["model"]["version"]
    except (LookupError, TypeError):
        what = f"POST /v1/classify was answered by something else: {str(body)[:MOST_SHOWN]}"
        yield Finding(Severity.ERROR, what, ADDRESS)
        return
    if named not in sample.labels:
        what = f"a golden image should be named {sample.labels[0]!r}, and is named {named!r}"
        yield Finding(Severity.ERROR, what, "roll back the model: python -m training rollback STORE NAME")
    if version != sample.version:
        what = f"version {version} answers, version {sample.version} is the one that is named"
        yield Finding(
            Severity.WARNING, what, "it follows within MODEL_REFRESH_SECONDS; if not, see `model refused` in the log"
        )


def ask_app(settings: Settings, image: bytes) -> tuple[int, dict[str, Any]]:
    from serving.http.app import create_app
    from serving.model_loader import open_model_loader
    from serving.telemetry import LogTelemetry

    silenced = msgspec.structs.replace(settings, log_level="ERROR")
    telemetry = LogTelemetry(silenced)
    app = create_app(silenced, open_model_loader(silenced, telemetry), telemetry)
    answer = app.test_client().post("/v1/classify", data=image)
    return answer.status_code, answer.get_json()


def ask_function(stack: Stack, image: bytes) -> tuple[int, dict[str, Any]]:
    answer = stack.invoke_classify(
        {
            "httpMethod": "POST",
            "path": "/v1/classify",
            "headers": {"Content-Type": "application/octet-stream"},
            "requestContext": {"requestId": "doctor"},
            "body": base64.b64encode(image).decode(),
            "isBase64Encoded": True,
        }
    )
    if "statusCode" not in answer:  # the function itself failed
        return 500, {"detail": answer.get("errorMessage", answer)}
    return answer["statusCode"], json.loads(answer["body"])


def ask_url(url: str, key: str | None, image: bytes) -> tuple[int, Any]:
    headers = {"Content-Type": "image/jpeg"} | ({"X-Api-Key": key} if key else {})
    try:
        with _answer_to(Request(f"{url.rstrip('/')}/v1/classify", image, headers)) as answer:
            body = answer.read(MOST_READ)
            if isinstance(answer, HTTPError):
                return answer.code, {"detail": body.decode(errors="replace")}
            return answer.status, json.loads(body)
    except (OSError, ValueError, HTTPException) as error:
        return UNREACHED, {"detail": f"{url} cannot be reached, or is no such service ({error})"}


def _answer_to(request: Request) -> Any:
    """The answer, where it is a refusal too."""
    try:
        return urlopen(request, timeout=60)
    except HTTPError as refusal:
        return refusal
