"""How large the Lambda images are, where a Docker engine answers. DOCKER_HOST and BASE_IMAGE say where and on what they are built."""

import os
import shutil
import subprocess

from bench.machine import ROOT
from bench.section import Found, say

MB = 10**6


def measure_images(kinds: tuple[str, ...]) -> Found:
    """Build the image with each kind of ENGINES; return its megabytes, or why there are none."""
    if not shutil.which("docker") or _docker("version").returncode != 0:
        return {"not_measured": "no Docker engine answers"}
    found: Found = {}
    for engines in kinds:
        tag = f"recognition-bench-{engines}"
        base = [f"--build-arg=BASE_IMAGE={os.environ['BASE_IMAGE']}"] if "BASE_IMAGE" in os.environ else []
        built = _docker("build", "--network=host", f"--tag={tag}", f"--build-arg=ENGINES={engines}", *base, ".")
        if built.returncode != 0:
            return {"not_measured": f"docker build failed: {built.stderr.strip()[-300:]}"}
        found[engines] = {"unpacked": _unpacked(tag) / MB, "compressed": _compressed(tag) / MB}
        say(f"image, ENGINES={engines}: {found[engines]}")
    return found


def _docker(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"DOCKER_BUILDKIT": "1"}
    return subprocess.run(
        ["docker", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def _unpacked(tag: str) -> int:
    return int(_docker("image", "inspect", "--format={{.Size}}", tag).stdout)


def _compressed(tag: str) -> int:
    """About what a registry keeps and Lambda pulls: the layers by gzip."""
    with subprocess.Popen(["docker", "save", tag], stdout=subprocess.PIPE) as saving:
        packed = subprocess.Popen(["gzip", "-1"], stdin=saving.stdout, stdout=subprocess.PIPE)
        return int(subprocess.run(["wc", "-c"], stdin=packed.stdout, capture_output=True, check=True).stdout)
