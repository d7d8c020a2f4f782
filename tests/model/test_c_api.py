"""The published directory is a SavedModel to TensorFlow itself: its C library, which Java and Go are bound to, runs it."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from model.classifier import load_classifier
from tests import ROOT

LIBRARY = Path(find_spec("tensorflow").origin).parent / "libtensorflow_cc.so.2"


@pytest.mark.skipif(not LIBRARY.exists(), reason="this build of TensorFlow brings no libtensorflow_cc.so.2")
def test_the_c_api_scores_as_the_engine_does(tiny_model, tmp_path):
    from tensorflow.core.protobuf import saved_model_pb2

    directory = Path(tiny_model) / "1"
    saved = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    signature = saved.meta_graphs[0].signature_def["serving_default"]
    images = np.random.default_rng(0).integers(0, 256, (2, 299, 299, 3)).astype(np.uint8)
    np.save(tmp_path / "images.npy", images)
    names = (signature.inputs["image"].name, signature.outputs["scores"].name)

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.support.c_api",
            str(LIBRARY),
            str(directory),
            *names,
            str(tmp_path / "images.npy"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    expected = load_classifier(tiny_model, engine="tensorflow").engine.scores(images)
    assert np.array(json.loads(done.stdout)) == pytest.approx(expected, abs=1e-6)
