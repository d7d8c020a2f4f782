"""The Lambda image: what is in it, and that it answers as Lambda would run it."""

import json
import re
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from tests.events import load_event
from tests.runtime.emulator import ROOT

SLIM = ("--build-arg", "ENGINES=litert")
WALK = (
    "import os; print(*(os.path.relpath(f'{at}/{name}') for at, _, names in os.walk('.') for name in names), sep='\\n')"
)
GLIBC = (2, 34)  # of Amazon Linux 2023, which the real base image is made of


@pytest.fixture(scope="module")
def function(engine, build, tiny_model):
    """The slim image in half a gigabyte and on one CPU, with a model that is mounted."""
    store = ["--volume", f"{Path(tiny_model).parent}:/store:ro", "--env", "MODEL_URI=/store/tiny"]
    with engine.container(build(*SLIM), "--memory", "512m", "--cpus", "1", *store) as function:
        yield function


@pytest.fixture(scope="module")
def files(function):
    """Every file of the code and its packages, by its path below /var/task."""
    return set(function.python(WALK).splitlines())


@pytest.mark.parametrize("name", ["alb-image", "apigateway-v1-image", "apigateway-v2-json", "function-url-image"])
def test_it_names_images(function, name):
    answer = function.invoke(load_event(name))

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["labels"][0]["name"] == "green"


def test_it_is_nobody_and_can_write_to_tmp_only(function):
    write = "import os, sys; print(os.getuid()); open(sys.argv[1] + '/file', 'w').close()"

    assert function.python(write, "/tmp").strip() == "993"
    for place in ("/var/task", "/var/task/serving/__pycache__", "/opt", "/var/tmp"):
        with pytest.raises(AssertionError, match=r"PermissionError|Read-only"):
            function.python(write, place)


def test_it_holds_the_code_that_serves_and_nothing_else_of_the_directory(files, context):
    served = {path for folder in ("model", "serving") for path in (ROOT / folder).rglob("*") if path.is_file()}
    code = {str(path.relative_to(ROOT)) for path in served if path.suffix != ".pyc"}
    elsewhere = {path.name for path in context.iterdir()} - {"LICENSE", "handler.py", "model", "serving"}

    assert code | {"LICENSE", "handler.py"} <= files
    assert not {path for path in files if path.split("/")[0] in elsewhere}
    assert not {"serving/.env", "model/notes.txt", "model/__pycache__/old.pyc"} & files


def test_without_tensorflow_it_is_slim(files):
    assert "ai_edge_litert/interpreter.py" in files
    assert not {path for path in files if path.startswith(("tensorflow/", "keras/"))}


def test_its_bytecode_is_compiled_and_need_not_be_checked(files, function):
    sources = {
        path for path in files if re.match(r"(handler|(model|serving|flask|numpy|PIL|ai_edge_litert)/.*)\.py$", path)
    }
    compiled = {re.sub(r"__pycache__/(.+)\.cpython-\d+\.pyc$", r"\1.py", path) for path in files}
    flags = "import handler; print(open(handler.__cached__, 'rb').read(8)[4])"

    assert not sources - compiled
    assert function.python(flags).strip() == "1"  # PEP 552: by hash, unchecked


def test_its_wheels_run_on_the_c_library_of_the_real_base(files, function):
    wheels = [path for path in files if path.endswith(".dist-info/WHEEL")]
    texts = function.python("import sys; print(*(open(path).read() for path in sys.argv[1:]), sep='\\0')", *wheels)
    for wheel in texts.split("\0"):
        versions = [(int(major), int(minor)) for major, minor in re.findall(r"manylinux_(\d+)_(\d+)_", wheel)]
        assert min(versions, default=GLIBC) <= GLIBC, wheel


def test_its_boto3_is_ours_and_knows_each_service_that_the_handler_asks_for(function):
    locked = re.search(r"^boto3==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[1]
    finder = ModuleFinder(path=[str(ROOT)])
    finder.run_script(str(ROOT / "handler.py"))
    sources = [Path(module.__file__).read_text() for module in finder.modules.values() if module.__file__]
    asked = set(re.findall(r'client\("([\w-]+)"', "".join(sources)))
    known = "import boto3; print(boto3.__version__, *boto3.Session().get_available_services())"

    version, *services = function.python(known).split()

    assert version == locked  # the base image has one of its own
    assert "s3" in asked <= set(services)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--build-arg", "ENGINES=onnx"], "ENGINES=onnx: it must be all or litert"),
        ([*SLIM, "--build-arg", "MODEL=tinny"], "no model 'tinny' in /opt/models"),
        ([*SLIM, "--build-arg", "MODEL=tiny/7"], "/opt/models/tiny/7 is not a published model"),
    ],
)
def test_what_cannot_be_built_is_refused_by_name(engine, base, build, context, options, sentence):
    build(*SLIM)
    said = engine.build(context, "refused", "--build-arg", f"BASE_IMAGE={base}", *options, check=False)

    assert sentence in said
    assert engine.run("image", "inspect", "refused", check=False).returncode != 0


@pytest.mark.parametrize("model", ["tiny", "tiny/1"])
def test_a_model_that_is_baked_in_needs_no_store(engine, build, model):
    with engine.container(build(*SLIM, "--build-arg", f"MODEL={model}"), "--memory", "512m") as function:
        answer = function.invoke(load_event("apigateway-v1-image"))

    assert json.loads(answer["body"])["model"] == {"name": "tiny", "version": 1}


def test_with_both_engines_tensorflow_answers_like_the_twin(engine, build, function):
    event = load_event("apigateway-v1-image")
    image = build("--build-arg", "MODEL=tiny")
    with engine.container(image, "--memory", "2g", "--cpus", "2", "--env", "ENGINE=tensorflow") as reference:
        scores, twin = (json.loads(each.invoke(event)["body"])["labels"][0] for each in (reference, function))
        card = json.loads(reference.invoke(event | {"path": "/v1/model", "httpMethod": "GET"})["body"])

    assert card["engine"] == "tensorflow"
    assert (scores["name"], scores["score"]) == (twin["name"], pytest.approx(twin["score"], abs=0.05))
