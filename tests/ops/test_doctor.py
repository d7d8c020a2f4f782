"""The doctor on this shell's settings. On a template and on a deployed stack: tests/deploy/test_doctor.py."""

import json
import shutil
from dataclasses import replace
from threading import Thread

import boto3
import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from model.golden import SCORES
from model.manifest import MANIFEST, Manifest, describe_files
from ops.doctor import main
from tests.support.fakes import colour_app


def doctor(*arguments, **environment):
    return CliRunner().invoke(main, arguments, env={"UPLOADS_PREFIX": "", "MODEL_URI": ""} | environment)


@pytest.fixture
def served():
    """The address of a service that names colours, of another model than tiny."""
    server = make_server("127.0.0.1", 0, colour_app(), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_sound_model_goes_the_whole_way(tiny_model):
    done = doctor(MODEL_URI=tiny_model)
    assert done.exit_code == 0, done.output
    assert "ok       model: " in done.output
    assert "ok       round trip: a golden image is named" in done.output


def test_without_a_model_it_says_how_to_name_one():
    done = doctor()
    assert done.exit_code == 0
    assert "warning  model: none is named" in done.output
    assert "→ MODEL_URI=" in done.output


def test_overlapping_prefixes_are_an_error():
    done = doctor(UPLOADS_PREFIX="results/new/")
    assert done.exit_code == 1
    assert "error    settings: UPLOADS_PREFIX='results/new/'" in done.output


def test_a_model_that_is_not_there_is_an_error(tmp_path):
    done = doctor(MODEL_URI=f"{tmp_path}/flowers")
    assert done.exit_code == 1
    assert "error    model: no model 'flowers'" in done.output


def copy_of(tiny_model, tmp_path):
    shutil.copytree(tiny_model, tmp_path / "tiny")
    return tmp_path / "tiny/1"


def test_a_damaged_model_is_an_error(tiny_model, tmp_path):
    version = copy_of(tiny_model, tmp_path)
    (version / "assets.extra/labels.txt").write_text("red\n")
    done = doctor(MODEL_URI=str(version))
    assert done.exit_code == 1
    assert "labels.txt is not the file that was published" in done.output


def test_a_model_that_runs_unfaithfully_here_is_an_error(tiny_model, tmp_path):
    version = copy_of(tiny_model, tmp_path)
    scores = version / SCORES
    expected = {
        file: {e: s[1:] + s[:1] for e, s in engines.items()} for file, engines in json.loads(scores.read_text()).items()
    }
    scores.write_text(json.dumps(expected))
    manifest = Manifest.loads((version / MANIFEST).read_bytes(), "")
    (version / MANIFEST).write_text(replace(manifest, files=describe_files(version)).dumps())
    done = doctor(MODEL_URI=str(version))
    assert done.exit_code == 1
    assert "golden image" in done.output


def test_a_service_is_asked_over_http_and_its_other_version_is_noticed(tiny_model, served):
    done = doctor("--url", served, MODEL_URI=tiny_model, API_KEY="k")
    assert done.exit_code == 0, done.output
    assert "warning  round trip: version 3 answers, version 1 is the one that is named" in done.output


def test_a_service_that_refuses_is_an_error(tiny_model, served):
    done = doctor("--url", f"{served}/none", MODEL_URI=tiny_model)
    assert done.exit_code == 1
    assert "error    round trip: POST /v1/classify answered 404" in done.output


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "no address"])
def test_a_service_that_is_out_of_reach_is_an_error_of_its_address(tiny_model, url):
    done = doctor("--url", url, MODEL_URI=tiny_model)
    assert done.exit_code == 1
    assert f"error    round trip: {url} cannot be reached" in done.output
    assert "→ give the address" in done.output


def test_a_stack_that_is_not_there_is_an_error_without_a_traceback(aws):
    done = doctor("--stack", "none")
    assert done.exit_code == 1
    assert "error    AWS: " in done.output
    assert isinstance(done.exception, SystemExit)


def test_its_help_teaches():
    assert "Exit status 1 where there is an error" in " ".join(doctor("--help").output.split())


@pytest.mark.parametrize(
    "template",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"Resources": {}}',
        '{"Resources": {"A": "x"}}',
        '{"Resources": {"A": {"Type": "x"}}}',
        "\xff",
    ],
)
def test_a_template_of_something_else_is_refused_by_its_file(tmp_path, template):
    (tmp_path / "template.json").write_bytes(template.encode("latin-1"))
    done = doctor("--template", str(tmp_path / "template.json"))
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert "template.json is no template of this project" in done.output


def test_a_stack_of_something_else_is_refused_by_what_it_lacks(aws):
    template = json.dumps({"Resources": {"A": {"Type": "AWS::SQS::Queue"}}})
    boto3.client("cloudformation").create_stack(StackName="other", TemplateBody=template)
    done = doctor("--stack", "other")
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert "error    AWS: the stack other has no ClassifyLambdaFunction" in done.output


@pytest.mark.parametrize("address", ["localhost:9000", "http://127.0.0.1:99999"])
@pytest.mark.parametrize(
    ("variable", "service"), [("AWS_ENDPOINT_URL", "cloudformation"), ("AWS_ENDPOINT_URL_LAMBDA", "lambda")]
)
def test_an_address_of_aws_that_is_none_is_said(aws, variable, service, address):
    template = json.dumps({"Resources": {"A": {"Type": "AWS::SQS::Queue"}}})
    boto3.client("cloudformation").create_stack(StackName=f"addressed-{service}-{address[-4:]}", TemplateBody=template)
    done = doctor("--stack", f"addressed-{service}-{address[-4:]}", **{variable: address})
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert f"error    AWS: {service}: " in done.output
    assert "look at AWS_ENDPOINT_URL" in done.output
