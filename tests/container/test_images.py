"""The three images: what is in them, and that they answer under Lambda's limits.

One file, because tests that run in parallel are shared out by files, and the images are to be built once.
"""

import base64
import json
import os
import re
import time
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.events import load_event
from tests.support.tiny import draw_colours

SLIM = ("--build-arg", "ENGINES=litert")
BAKED = ("--build-arg", "MODEL=tiny")
IMAGE_EVENT = load_event("apigateway-v1-image")
WALK = "import pathlib; print(*filter(pathlib.Path.is_file, pathlib.Path().rglob('*')), sep='\\n')"
OTHERS = """
import pathlib, stat, sys
for place in map(pathlib.Path, sys.argv[1:]):
    for path in (place, *place.rglob("*")):
        found = path.lstat()
        if found.st_uid != 0 or (found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not path.is_symlink()):
            print(path)
"""
IMPORT_ALL = """
import importlib, pkgutil, sys
for package in map(importlib.import_module, sys.argv[1:]):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
"""
PACKAGES = "import importlib.metadata as m; print(*(each.metadata['Name'].lower() for each in m.distributions()))"
GLIBC = (2, 34)  # of Amazon Linux 2023, which the real base image is made of
PORT = 9000


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


@pytest.fixture
def server(engine, build):
    """The slim server with a baked model, where its platform wants it to listen."""
    options = ["--memory", "512m", "--cpus", "1", "--env", f"PORT={PORT}", "--health-interval", "1s"]
    with engine.container(build(*SLIM, *BAKED, "--target", "server"), *options) as server:
        yield server


@pytest.fixture(scope="module")
def training(engine, build, tiny_model, tmp_path_factory):
    """Run a command of the package in a folder that holds images and models, as the user whose folder it is."""
    work = draw_colours(tmp_path_factory.mktemp("work") / "photos", per_class=20).parent
    (work / "model").mkdir()  # of the user's own, with a name that is also a package's
    limits = ["--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--user", str(os.getuid())]
    mounts = ["--volume", f"{work}:/work", "--volume", f"{Path(tiny_model).parent}:/store:ro"]

    def training(*command):
        return engine.run("run", "--rm", *limits, *mounts, build("--target", "training"), *command).stdout

    return training


def packages(container):
    """The names of what is installed, once for each copy."""
    return container.python(PACKAGES).split()


@pytest.mark.parametrize("name", ["alb-image", "apigateway-v1-image", "apigateway-v2-json", "function-url-image"])
def test_the_function_names_images(function, name):
    answer = function.invoke(load_event(name))

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["labels"][0]["name"] == "green"


def test_the_function_is_nobody_and_can_write_to_tmp_only(function):
    write = "import os, sys; print(os.getuid()); open(sys.argv[1] + '/file', 'w').close()"

    assert function.python(write, "/tmp").strip() == "993"
    for place in ("/var/task", "/var/task/serving/__pycache__", "/opt", "/var/tmp"):
        with pytest.raises(AssertionError, match=r"PermissionError|Read-only"):
            function.python(write, place)


def test_what_the_image_adds_belongs_to_root_and_no_other_may_write_to_it(function):
    assert function.python(OTHERS, "/var/task", "/opt").split() == []


def test_an_answer_writes_nothing_outside_of_tmp(engine, build):
    with engine.container(build(*SLIM, *BAKED), "--read-only=false", "--memory", "512m") as function:
        assert function.invoke(IMAGE_EVENT)["statusCode"] == 200
        assert function.written() == []


def test_the_function_holds_the_code_that_serves_and_nothing_else_of_the_directory(files, context):
    served = {path for folder in ("model", "serving") for path in (ROOT / folder).rglob("*") if path.is_file()}
    code = {str(path.relative_to(ROOT)) for path in served if path.suffix != ".pyc"}
    elsewhere = {path.name for path in context.iterdir()} - {"LICENSE", "handler.py", "model", "serving"}

    assert code | {"LICENSE", "handler.py"} <= files
    assert {"training", "ops", "bench", "tests", "deploy"} <= elsewhere
    assert not {path for path in files if path.split("/")[0] in elsewhere}
    assert not {"serving/.env", "model/notes.txt", "model/__pycache__/old.pyc"} & files


def test_without_tensorflow_the_function_is_slim(files):
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
        answer = function.invoke(IMAGE_EVENT)

    assert json.loads(answer["body"])["model"] == {"name": "tiny", "version": 1}


def test_with_both_engines_tensorflow_answers_like_the_compiled(engine, build, function):
    with engine.container(build(*BAKED), "--memory", "2g", "--cpus", "2", "--env", "ENGINE=tensorflow") as reference:
        scores, compiled = (json.loads(each.invoke(IMAGE_EVENT)["body"])["labels"][0] for each in (reference, function))
        card = json.loads(reference.invoke(IMAGE_EVENT | {"path": "/v1/model", "httpMethod": "GET"})["body"])

    assert card["engine"] == "tensorflow"
    assert (scores["name"], scores["score"]) == (compiled["name"], pytest.approx(compiled["score"], abs=0.05))


def test_the_server_listens_where_the_platform_says_and_names_images(server):
    assert server.request("GET", "/ready", port=PORT)[0] == 200
    status, text = server.request("POST", "/v1/classify", base64.b64decode(IMAGE_EVENT["body"]), PORT)

    assert (status, json.loads(text)["labels"][0]["name"]) == (200, "green")


def test_the_server_is_the_function_gunicorn_and_what_reads_other_clouds(server, function):
    assert set(packages(server)) - set(packages(function)) == {"gunicorn", "obstore"}
    assert len(packages(server)) == len(set(packages(server)))


def test_every_module_finds_what_it_imports(server):
    server.python(IMPORT_ALL, "model", "serving")


def test_the_servers_health_check_passes(server):
    deadline = time.monotonic() + 30
    while server.state("Health.Status") == "starting" and time.monotonic() < deadline:
        time.sleep(0.2)

    assert server.state("Health.Status") == "healthy"


def test_the_server_ends_at_once_when_it_is_told_to(server):
    server.request("GET", "/health", port=PORT)
    started = time.monotonic()

    assert server.stop() == 0
    assert time.monotonic() - started < 10


def test_the_training_image_checks_images(training):
    assert "60 images of 3 labels" in training("check", "photos")


def test_the_training_image_retrains(training):
    """Every package that a training needs is in it, LiteRT's tools among them."""
    said = training("retrain", "photos", "--name", "colours", "--weights", "random")

    assert "published   artifacts/colours/1" in said
    assert "compiled" in said


def test_the_training_image_names_images(training):
    answer = json.loads(training("predict", "--json", "/store/tiny", "photos/red/00.jpg"))

    assert answer["labels"][0]["name"] == "red"


def test_the_training_image_holds_no_server(engine, build):
    image = build("--target", "training")
    found = set(engine.run("run", "--rm", "--entrypoint", "python3", image, "-c", PACKAGES).stdout.split())

    assert {"scikit-learn", "filelock"} <= found
    assert not {"flask", "gunicorn", "aws-lambda-powertools"} & found


def test_the_training_image_teaches_its_options(training):
    assert "--bottleneck-dir" in training("retrain", "--help")
