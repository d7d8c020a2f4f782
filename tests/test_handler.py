"""handler.http as Lambda runs it: a process of its own, told by its environment, with a real model."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.support.events import event_names, load_event
from tests.support.fakes import base64_of, picture
from tests.support.inception import NAMES, publish_inception
from tests.support.tiny import COLOURS

HTTP = ("alb", "apigateway", "function-url")
NEVER_NEEDED_TO_NAME_AN_IMAGE = [
    "boto3",
    "botocore.client",
    "concurrent.futures.thread",
    "gunicorn",
    "pi_heif",
    "serving.bulk",
    "serving.codings",
    "serving.http.forms",
    "serving.http.framing",
    "serving.http.keys",
    "serving.http.gunicorn_worker",
    "serving.http.dialects",
    "serving.http.dialects.tfserving",
    "serving.http.openapi",
    "serving.http.pages",
    "serving.uploads",
    "tensorflow",
    "training",
]

SCRIPT = """
import json, sys
import handler
events = json.load(open(sys.argv[1]))
answers = [handler.http(event, None) for event in events]
found = {"answers": answers, "modules": sorted(sys.modules)}
if sys.platform == "linux":
    found["peak_kb"] = int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
json.dump(found, open(sys.argv[2], "w"))
"""


def run_handler(folder: Path, names: list[str], **environment: str):
    """Answer the named events in a fresh process; return its answers, its modules and all that it printed."""
    found, printed = answer_in_a_process(folder, [load_event(name) for name in names], environment)
    return found["answers"], found["modules"], printed


def answer_in_a_process(folder: Path, events: list[dict[str, Any]], environment: dict[str, str]):
    (folder / "events.json").write_text(json.dumps(events))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / "events.json"), str(folder / "answers.json")],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "answers.json").read_text()), done.stdout + done.stderr


@pytest.mark.parametrize("engine", ["litert", "tensorflow"])
def test_every_event_is_answered_by_a_real_model(tiny_model, tmp_path, engine):
    names = event_names(*HTTP)
    answers, _, _ = run_handler(
        tmp_path, names, MODEL_URI=tiny_model, ENGINE=engine, CORS_ORIGINS="https://site.example"
    )
    assert {name: answer["statusCode"] for name, answer in zip(names, answers, strict=True)} == dict.fromkeys(
        names, 200
    )
    image = json.loads(answers[names.index("apigateway-v2-image")]["body"])
    preflight = answers[names.index("apigateway-v1-preflight")]["multiValueHeaders"]
    assert image["labels"][0]["name"] in COLOURS
    assert image["model"] == {"name": "tiny", "version": 1}
    assert preflight["Access-Control-Allow-Origin"] == ["https://site.example"]


def test_naming_an_image_imports_only_what_that_needs(tiny_model, tmp_path):
    _, modules, _ = run_handler(tmp_path, ["apigateway-v2-image"], MODEL_URI=tiny_model)
    assert "ai_edge_litert" in modules
    assert not set(NEVER_NEEDED_TO_NAME_AN_IMAGE) & set(modules)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from Linux's /proc")
def test_a_photo_of_12_megapixels_takes_less_than_250_mb_with_the_compiled(tmp_path):
    photo = load_event("apigateway-v1-image") | {"body": base64_of(picture(size=(4000, 3000)))}
    found, _ = answer_in_a_process(tmp_path, [photo], {"MODEL_URI": publish_inception(tmp_path / "store")})
    answer = json.loads(found["answers"][0]["body"])
    assert answer["image"] == {"width": 4000, "height": 3000, "format": "JPEG"}
    assert answer["labels"][0]["name"] == NAMES[-1]
    assert found["peak_kb"] < 250_000


def test_what_needs_no_model_imports_no_engine(tmp_path):
    _, modules, _ = run_handler(tmp_path, ["apigateway-v1-health", "apigateway-v1-preflight"], ENGINE="tensorflow")
    assert not {"tensorflow", "ai_edge_litert", "boto3"} & set(modules)


@pytest.mark.parametrize(
    ("start", "cold"), [("on-demand", True), ("provisioned-concurrency", False), ("snap-start", False)]
)
def test_a_start_ahead_of_requests_loads_the_model(tiny_model, tmp_path, start, cold):
    environment = {"MODEL_URI": tiny_model, "AWS_LAMBDA_INITIALIZATION_TYPE": start}
    _, _, printed = run_handler(tmp_path, ["apigateway-v1-image"], **environment)
    answered = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert [line["cold"] for line in answered] == [cold]


def test_the_log_is_json_with_metrics_and_without_images_or_keys(tiny_model, tmp_path):
    names = ["apigateway-v1-image", "apigateway-v1-json", "apigateway-v1-health"]
    answers, _, printed = run_handler(tmp_path, names, MODEL_URI=tiny_model, AWS_LAMBDA_FUNCTION_NAME="classify")
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    answered = [line for line in lines if line.get("message") == "answered"]
    metrics = [line for line in lines if "_aws" in line]
    event = load_event("apigateway-v1-image")
    assert [line["source"] for line in answered] == ["body", "base64"]  # and no line for a load balancer's question
    assert answered[0]["request_id"] == json.loads(answers[0]["body"])["request_id"]
    assert [line["Infer"] for line in metrics] == [[line["infer_ms"]] for line in answered]
    assert [("Load" in line) for line in metrics] == [True, False]
    assert event["headers"]["x-api-key"] not in printed
    assert event["body"][:24] not in printed


def test_an_event_of_another_shape_is_refused_by_what_is_understood():
    done = subprocess.run(
        [sys.executable, "-c", "import handler; handler.http({'Records': [{'eventSource': 'aws:s3'}]}, None)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "UnknownEvent: handler.http understands API Gateway REST (v1)" in done.stderr
    assert "an event with the fields Records from aws:s3" in done.stderr


def test_a_setting_that_cannot_be_used_stops_the_start():
    done = subprocess.run(
        [sys.executable, "-c", "import handler"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENGINE": "onnx"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "SettingsError: ENGINE='onnx': must be one of auto, litert, tensorflow" in done.stderr
