"""How much has to travel before an answer: packages, images, the model's files; and the seconds from S3 to a first answer."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.metadata import Distribution, distributions
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.container_images import measure_images
from bench.contenders import Contender, contenders
from bench.figures import interleaved, spread
from bench.images import SMALL
from bench.machine import ROOT
from bench.process import Start, run
from bench.section import Found, Goal, Setup, say
from bench.server import MOTO, serving
from bench.tables import figure, section, table
from bench.tables import spread as spread_text
from bench.uploads import describe
from model.engine import engine_files
from model.manifest import Manifest
from model.stores.local import LocalStore

MB = 10**6
LOCKS = {"litert": "requirements-litert.txt", "all": "requirements.txt"}  # the Dockerfile's ENGINES → what it installs
ENGINES = {"ours": "litert", "ours_tensorflow": "tensorflow"}  # contender → engine
BUCKET = "models"
STARTS = 3


def measure(setup: Setup) -> Found:
    manifest = LocalStore(Path(setup.material.uri).parent).read_manifest("flowers", 1)
    with serving(MOTO, {}) as port:
        from_s3 = _from_s3(setup, port)
    return {
        "packages_mb": {engines: _installed(ROOT / lock) / MB for engines, lock in LOCKS.items()},
        "model_mb": {engine: _download(engine, manifest) / MB for engine in ENGINES.values()},
        "from_s3": from_s3,
        "images": measure_images(tuple(LOCKS)),
    }


def _installed(lock: Path) -> int:
    """Bytes of the packages that a lock names for this machine, as they lie in this environment, bytecode left out."""
    names = {line.partition("==")[0] for line in lock.read_text().splitlines() if "==" in line}
    return sum(_bytes(found) for found in distributions() if found.name.lower().replace("_", "-") in names)


def _bytes(package: Distribution) -> int:
    files = (Path(str(path.resolve())) for path in package.files or [] if path.suffix != ".pyc")
    return sum(file.stat().st_size for file in files if file.is_file())


def _download(engine: str, manifest: Manifest) -> int:
    return sum(manifest.files[path].size for path in engine_files(engine, manifest))


def _from_s3(setup: Setup, port: int) -> Found:
    """Seconds from the start of a process to its first answer, the model pulled from an S3 on this machine."""
    os.environ |= describe(port)
    import boto3

    boto3.client("s3").create_bucket(Bucket=BUCKET)
    publish = [sys.executable, "-m", "training", "publish", setup.material.uri, f"s3://{BUCKET}/store"]
    subprocess.run(publish, cwd=ROOT, check=True, capture_output=True)

    def starter(contender: Contender) -> Callable[[], Start]:
        far = replace(contender, environment=contender.environment | {"MODEL_URI": f"s3://{BUCKET}/store/flowers"})

        def start() -> Start:
            with (
                TemporaryDirectory() as cache,
                run(far, setup.material.event(SMALL), {"MODEL_CACHE": cache}) as process,
            ):
                return process.start

        return start

    everyone = contenders(setup.material)
    starts = interleaved(setup.times(STARTS), {engine: starter(everyone[name]) for name, engine in ENGINES.items()})
    found = {}
    for engine, several in starts.items():
        found[engine] = {
            part: asdict(spread([getattr(start, part) for start in several])) for part in ("load", "total")
        }
        say(f"from S3 to the first answer, {engine}: {found[engine]['total']['median']:.2f} s")
    return found


def tables(found: Found) -> str:
    packages = [
        [
            f"Lambda image, ENGINES={engines}",
            figure(found["packages_mb"][engines]),
            *_image_cells(found["images"], engines),
        ]
        for engines in LOCKS
    ]
    model = [
        [engine, figure(found["model_mb"][engine]), spread_text(entry["load"]), spread_text(entry["total"])]
        for engine, entry in found["from_s3"].items()
    ]
    note = (
        "Packages as pip unpacks them here; the image drops parts that no answer needs, and holds its base. S3 is moto's server on "
        "this machine: real buckets add their own time."
    )
    return section(
        "Size",
        table(["MB", "packages", "image", "image, compressed"], packages),
        table(["engine", "model's download, MB", "pull, verify, load: s", "process start → first answer: s"], model),
        note,
        f"Images were not measured here: {found['images']['not_measured']}."
        if "not_measured" in found["images"]
        else "",
    )


def _image_cells(images: Found, engines: str) -> list[str]:
    if engines not in images:
        return ["–", "–"]
    return [figure(images[engines]["unpacked"]), figure(images[engines]["compressed"])]


def goals(_: Found) -> list[Goal]:
    return []  # none was set
