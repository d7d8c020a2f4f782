"""The start from S3: a new process without a cache pulls the model, verifies it, loads it and answers.

S3 is moto's server on this machine: what a real bucket takes to send the bytes comes on top.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.candidates import Candidate, candidates
from bench.figures import interleaved, spread
from bench.images import SMALL
from bench.machine import ROOT
from bench.process import run
from bench.section import Found, Section, Setup, say

STARTING = ("ours", "ours_tensorflow")
STARTS = 3
BUCKET = "models"
MB = 10**6
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


def measure(setup: Setup) -> Found:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would print every request
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        return _measure(setup, KEYS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.get_host_and_port()[1]}"})
    finally:
        server.stop()


def _measure(setup: Setup, reach: dict[str, str]) -> Found:
    """`reach` is the environment in which S3 is the server of ours."""
    _publish(setup.material.uri, reach)
    everyone, downloads = candidates(setup.material), {}

    def starter(name: str, candidate: Candidate) -> Callable[[], float]:
        there = reach | {"MODEL_URI": f"s3://{BUCKET}/store/flowers"}
        far = replace(candidate, environment=candidate.environment | there)

        def start() -> float:
            with (
                TemporaryDirectory() as cache,
                run(far, setup.material.event(SMALL), {"MODEL_CACHE": cache}) as process,
            ):
                downloads[name] = sum(path.stat().st_size for path in Path(cache).rglob("*") if path.is_file()) / MB
                return process.first.total

        return start

    starts = interleaved(setup.times(STARTS), {name: starter(name, everyone[name]) for name in STARTING})
    rows = {
        name: {"download, MB": downloads[name], "first answer, s (from – to)": spread(seconds)}
        for name, seconds in starts.items()
    }
    say(str(rows))
    return {"starts": rows}


def _publish(uri: str, reach: dict[str, str]) -> None:
    import boto3

    boto3.client(
        "s3",
        endpoint_url=reach["AWS_ENDPOINT_URL"],
        aws_access_key_id=reach["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=reach["AWS_SECRET_ACCESS_KEY"],
        region_name=reach["AWS_DEFAULT_REGION"],
    ).create_bucket(Bucket=BUCKET)
    command = [sys.executable, "-m", "training", "publish", uri, f"s3://{BUCKET}/store"]
    subprocess.run(command, cwd=ROOT, env=os.environ | reach, check=True, capture_output=True)


S3 = Section(
    "Start from S3",
    {"starts": "model pulled, verified and loaded"},
    f"Medians of {STARTS} starts each, by turns, with no model on disk. S3 is moto's server on this machine: real buckets add "
    "their own time.",
    measure,
)
