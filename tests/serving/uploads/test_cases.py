"""Cases from public bug reports, one a file: what comes to `handler.uploads`, or a reference to S3, and what has to come of it."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from serving.model_loader import ModelLoader
from serving.s3 import s3_client
from serving.settings import Settings
from serving.telemetry import LogTelemetry
from serving.uploads.notifications import ObjectTagger
from serving.uploads.processor import UploadProcessor
from tests import ROOT
from tests.support.chain import Context
from tests.support.fakes import colour_app, colour_classifier, picture

CASES = ROOT / "tests" / "cases" / "serving"
BUCKET = "amzn-s3-demo-bucket"


def read(name):
    return json.loads((CASES / f"{name}.json").read_text())


def names(door):
    return [path.stem for path in sorted(CASES.glob("*.json")) if json.loads(path.read_text())["door"] == door]


class Answering:
    """An S3 client that answers some operations on uploads with an error: {"get": code}."""

    def __init__(self, client, errors):
        self._client, self._errors = client, errors

    def __getattr__(self, operation):
        code = self._errors.get(operation.removesuffix("_object"))

        def call(**arguments):
            if code and arguments["Key"].startswith("uploads/"):
                raise ClientError({"Error": {"Code": code}}, operation)
            return getattr(self._client, operation)(**arguments)

        return call


def objects_of(case):
    """What S3 holds: where it answers with an error, the object that it does not give."""
    return case.get("objects", [{"key": "uploads/a.jpg"}] if "s3_error" in case else [])


def put(s3, entry):
    more = {"Tagging": "&".join(f"{tag}=x" for tag in entry["tags"])} if "tags" in entry else {}
    body = b"" if entry.get("empty") else picture()
    return s3.put_object(
        Bucket=BUCKET, Key=entry["key"], Body=body, StorageClass=entry.get("class", "STANDARD"), **more
    )["VersionId"]


def build(value, versions):
    """An input with its JSON texts written and its versions put in."""
    if isinstance(value, list):
        return [build(entry, versions) for entry in value]
    if isinstance(value, str) and value.startswith("VERSION:"):
        return versions.get(value.removeprefix("VERSION:"), "a-version")
    if not isinstance(value, dict):
        return value
    if "$json" in value:
        return json.dumps(build(value["$json"], versions))
    return {name: build(entry, versions) for name, entry in value.items()}


@pytest.fixture
def bucket(aws):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


def results(s3):
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="results/").get("Contents", [])
    return {entry["Key"]: json.loads(s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()) for entry in listed}


def attempt(act):
    """What came of it, as a case's `wanted` speaks of it."""
    try:
        return {"r": act(), "raised": None, "message": ""}
    except Exception as error:  # noqa: BLE001 - a case may want one, and names it
        return {"r": None, "raised": type(error).__name__, "message": str(error)}


@pytest.mark.parametrize("name", names("uploads"))
def test_an_event_from_a_bug_report_comes_to_what_its_reporter_wanted(bucket, capsys, name):
    case = read(name)
    versions = {entry["key"]: put(bucket, entry) for entry in objects_of(case)}
    client = Answering(s3_client(), case.get("s3_error", {}))
    telemetry = LogTelemetry(Settings(service_name=name))
    notify = [ObjectTagger(client)] if case.get("tag") else []
    processor = UploadProcessor(Settings(), ModelLoader(colour_classifier), telemetry, client, notify)

    outcome = attempt(lambda: processor.handle(build(case["input"], versions), Context()))

    outcome |= {"results": results(bucket), "log": capsys.readouterr().out}
    assert eval(case["wanted"], outcome), outcome


@pytest.mark.parametrize("name", names("s3ref"))
def test_a_reference_from_a_bug_report_is_answered_as_its_reporter_wanted(bucket, capsys, name):
    case = read(name)
    for entry in objects_of(case):
        put(bucket, entry)

    def ask():
        sources = case.get("sources", f"s3://{BUCKET}/uploads/")
        settings = Settings.from_environment({"IMAGE_SOURCES": sources, "SERVICE_NAME": name})
        client = Answering(s3_client(), case.get("s3_error", {}))
        app = colour_app(settings, telemetry=LogTelemetry(settings), connect_s3=lambda: client)
        return app.test_client().post("/v1/classify", json={"image": {"s3": case["input"]}})

    outcome = attempt(ask)

    answer = outcome["r"]
    outcome |= {"status": answer.status_code, "body": answer.json} if answer else {}
    outcome["log"] = capsys.readouterr().out
    assert eval(case["wanted"], outcome), outcome
