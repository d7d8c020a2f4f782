import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from model.errors import ModelNotFound
from serving.__main__ import newest_model
from tests import ROOT
from tests.support.fakes import picture
from tests.support.tiny import COLOURS


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def test_the_newest_model_of_a_store_is_found(tiny_model):
    assert newest_model(Path(tiny_model).parent) == tiny_model


def test_a_store_without_models_says_how_to_make_one(tmp_path):
    with pytest.raises(ModelNotFound, match="make demo"):
        newest_model(tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_server_prints_an_address_and_a_line_that_work(tiny_model, tmp_path, host):
    (tmp_path / "artifacts").symlink_to(Path(tiny_model).parent)
    (tmp_path / "photo.jpg").write_bytes(picture("red"))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": free_port()}
    command = [sys.executable, "-m", "serving", "--host", host]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            said = "".join(server.stdout.readline() for _ in range(3))
            url = re.search(rf"curl .* (http://{re.escape(host)}:\d+/v1/classify)", said)[1]
            answer = urlopen(Request(url, (tmp_path / "photo.jpg").read_bytes(), {"Content-Type": "image/jpeg"})).read()
        finally:
            server.terminate()
    assert "tiny, version 1" in said
    assert any(colour in answer.decode() for colour in COLOURS)


def test_without_a_model_it_says_what_to_do(tmp_path):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "serving"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "no model in ./artifacts: `make demo` makes one, or set MODEL_URI to <store>/<name>\n"
