"""`python -m ops.doctor`: what is wrong with a configuration before a deploy, and with a deployment after it.

It reads the deployment (ops/inspection.py), applies the rules (ops/checks.py), loads the model, sends one of its golden images
the whole way, and prints each finding with its remedy.
"""

import base64
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import click
import msgspec
import numpy as np

from model.classifier import load_version
from model.engine import engine_files
from model.errors import RecognitionError
from model.golden import SCORES
from model.manifest import GOLDEN
from model.stores.uri import resolve
from ops.checks import RULES, Deployment, Finding, Function, Severity
from ops.inspection import Stack, from_template
from serving.errors import SettingsError
from serving.settings import Settings

AS_WELL = 0.1  # in probability; the same code on other processors is off by 0.03

Ask = Callable[[bytes], tuple[int, dict[str, Any]]]  # image → status and body of POST /v1/classify


@click.command(context_settings={"max_content_width": 100})
@click.option(
    "--template", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Of `serverless package`."
)
@click.option("--stack", help="A deployed stack, such as image-recognition-dev.")
@click.option("--url", help="Send the golden image there, over HTTPS.")
@click.option("--key", envvar="API_KEY", help="The API key for that; better given as the variable API_KEY.")
def main(template: Path | None, stack: str | None, url: str | None, key: str | None) -> None:
    """Check a configuration before a deploy, or a deployment after it. Exit status 1 where there is an error.

    \b
    MODEL_URI=artifacts/flowers python -m ops.doctor
        this shell's settings, and the model that they name
    python -m ops.doctor --template .serverless/cloudformation-template-update-stack.json
        what `npx serverless package` wrote, and the same
    python -m ops.doctor --stack image-recognition-dev
        what is deployed, with the AWS credentials of this shell, and the model that it names
    """
    from botocore.exceptions import BotoCoreError, ClientError

    report = Report()
    try:
        _examine(template, stack, partial(_ask_url, url, key) if url else None, report)
    except RecognitionError as error:
        check = "settings" if isinstance(error, SettingsError) else "model"
        report(check, [Finding(Severity.ERROR, str(error), "")])  # its text names the remedy
    except (BotoCoreError, ClientError) as error:
        remedy = "check the stack's name, the region (AWS_DEFAULT_REGION) and the credentials of this shell"
        report("AWS", [Finding(Severity.ERROR, str(error), remedy)])
    sys.exit(report.errors > 0)


class Report:
    """Prints what each check found, as it is found; counts the errors."""

    def __init__(self) -> None:
        self.errors = 0

    def __call__(self, check: str, findings: Iterable[Finding], summary: str = "") -> bool:
        """Return whether nothing was found."""
        found = list(findings)
        self.errors += sum(finding.severity is Severity.ERROR for finding in found)
        for finding in found:
            click.echo(f"{finding.severity:8} {check}: {finding.what}")
            if finding.remedy:
                click.echo(f"         → {finding.remedy}")
        if not found:
            click.echo(f"ok       {check}{summary and ': '}{summary}")
        return not found


@dataclass(frozen=True)
class Sample:
    """A golden image of a model, and what it must be taken for."""

    image: bytes
    labels: list[str]  # the first one, and those that score as well as it: other processors round differently
    version: int
    bytes_needed: int  # of /tmp, for the files of the engine that runs it


def _examine(template: Path | None, stack: str | None, ask: Ask | None, report: Report) -> None:
    settings, deployment = Settings.from_environment(os.environ), None
    if template:
        deployment = _read_template(template)
    if stack:
        import boto3

        deployed = Stack(boto3.session.Session(), stack)
        deployment, ask = deployed.read(), ask or partial(_ask_function, deployed)
    if deployment:
        passed = {name: report(name, rule(deployment)) for name, rule in RULES.items()}
        if not passed["settings"]:
            return  # it would not start
        deployed_settings = Settings.from_environment(deployment.classify.environment)
        if stack and deployed_settings.model_uri.startswith("s3://"):  # else the model lies in the image
            settings = deployed_settings
    if not settings.model_uri:
        remedy = "MODEL_URI=artifacts/flowers python -m ops.doctor …"
        report("model", [Finding(Severity.WARNING, "none is named in this shell, so none was looked at", remedy)])
        return
    sample = _load(settings)
    report("model", [], f"{settings.model_uri} is version {sample.version}, complete, and true to its golden images")
    if deployment:
        report("room for the model", _room(sample, deployment.classify))
    report(
        "round trip",
        _round_trip(sample, ask or partial(_ask_app, settings)),
        f"a golden image is named {' or '.join(map(repr, sample.labels))}",
    )


def _read_template(path: Path) -> Deployment:
    """Raises ClickException for what is no template of ours."""
    try:
        return from_template(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise click.ClickException(
            f"{path} is no template of this project ({type(error).__name__}: {error}): `npx serverless package` writes it"
        ) from error


def _load(settings: Settings) -> Sample:
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


def _room(sample: Sample, function: Function) -> Iterator[Finding]:
    room = function.storage * 2**20
    if room < 2 * sample.bytes_needed:
        needed = f"the model needs {sample.bytes_needed / 2**20:.0f} MB, and as much again to follow an alias"
        what = f"the function has {function.storage} MB of storage; {needed}"
        severity = Severity.ERROR if room < sample.bytes_needed else Severity.WARNING
        yield Finding(severity, what, f"ephemeralStorage={4 * sample.bytes_needed // 2**20}")


def _round_trip(sample: Sample, ask: Ask) -> Iterator[Finding]:
    status, body = ask(sample.image)
    if status != 200:
        what = f"POST /v1/classify answered {status}: {body.get('detail') or body}"
        yield Finding(Severity.ERROR, what, "the reason is in the function's log, under the request id")
        return
    if body["labels"][0]["name"] not in sample.labels:
        what = f"a golden image should be named {sample.labels[0]!r}, and is named {body['labels'][0]['name']!r}"
        yield Finding(Severity.ERROR, what, "roll back the model: python -m training rollback STORE NAME")
    if body["model"]["version"] != sample.version:
        what = f"version {body['model']['version']} answers, version {sample.version} is the one that is named"
        yield Finding(
            Severity.WARNING, what, "it follows within MODEL_REFRESH_SECONDS; if not, see `model refused` in the log"
        )


def _ask_app(settings: Settings, image: bytes) -> tuple[int, dict[str, Any]]:
    from serving.http.app import create_app
    from serving.model_loader import open_model_loader
    from serving.telemetry import LogTelemetry

    silenced = msgspec.structs.replace(settings, log_level="ERROR")
    telemetry = LogTelemetry(silenced)
    app = create_app(silenced, open_model_loader(silenced, telemetry), telemetry)
    answer = app.test_client().post("/v1/classify", data=image)
    return answer.status_code, answer.get_json()


def _ask_function(stack: Stack, image: bytes) -> tuple[int, dict[str, Any]]:
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


def _ask_url(url: str, key: str | None, image: bytes) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "image/jpeg"} | ({"X-Api-Key": key} if key else {})
    try:
        with urlopen(Request(f"{url.rstrip('/')}/v1/classify", image, headers), timeout=60) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refusal:
        return refusal.code, {"detail": refusal.read().decode(errors="replace")}
    except (OSError, ValueError) as error:
        return 0, {"detail": f"{url} cannot be reached, or is no such service ({error})"}


if __name__ == "__main__":
    main()
