"""`python -m ops.doctor`: what is wrong with a configuration before a deploy, and with a deployment after it.

It reads the deployment (ops/inspection.py), applies the rules (ops/checks.py), loads the model, sends one of its golden images
the whole way, and prints each finding with its remedy.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import click

from model.errors import RecognitionError
from ops.checks import RULES, Deployment, Finding, Function, Severity
from ops.inspection import Stack, from_template
from ops.round_trip import Ask, Sample, ask_app, ask_function, ask_url, load_sample, round_trip
from serving.errors import SettingsError
from serving.settings import Settings


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
        _examine(template, stack, partial(ask_url, url, key) if url else None, report)
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


def _examine(template: Path | None, stack: str | None, ask: Ask | None, report: Report) -> None:
    settings, deployment = Settings.from_environment(os.environ), None
    if template:
        deployment = _read_template(template)
    if stack:
        import boto3

        try:
            deployed = Stack(boto3.session.Session(), stack)
            deployment = deployed.read()
        except RecognitionError as error:
            report("AWS", [Finding(Severity.ERROR, str(error), "")])
            return
        ask = ask or partial(ask_function, deployed)
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
    sample = load_sample(settings)
    report("model", [], f"{settings.model_uri} is version {sample.version}, complete, and true to its golden images")
    if deployment:
        report("room for the model", _room(sample, deployment.classify))
    report(
        "round trip",
        round_trip(sample, ask or partial(ask_app, settings)),
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


def _room(sample: Sample, function: Function) -> Iterator[Finding]:
    room = function.storage * 2**20
    if room < 2 * sample.bytes_needed:
        needed = f"the model needs {sample.bytes_needed / 2**20:.0f} MB, and as much again to follow an alias"
        what = f"the function has {function.storage} MB of storage; {needed}"
        severity = Severity.ERROR if room < sample.bytes_needed else Severity.WARNING
        yield Finding(severity, what, f"ephemeralStorage={4 * sample.bytes_needed // 2**20}")


if __name__ == "__main__":
    main()
