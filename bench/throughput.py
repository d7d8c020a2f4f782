"""How much one machine answers: the server under 1–32 clients, and the uploads function over a burst of objects.

Clients, and the S3 that the uploads function reads, run on the same cores: the figures are lower than a server's alone.
"""

import base64
import json
import subprocess
import sys

from bench.images import SMALL
from bench.machine import CORES, ROOT
from bench.process import on_cores
from bench.section import Found, Goal, Setup, say
from bench.server import MOTO, crowd, serving
from bench.tables import figure, section, table
from bench.uploads import Burst, describe

OURS = ("gunicorn", "--config", "python:serving.gunicorn_conf", "handler:app")
KERAS = (
    "gunicorn",
    "--bind",
    "127.0.0.1:{port}",
    "--workers",
    "1",
    "--threads",
    "8",
    "--timeout",
    "0",
    "bench.peers.keras_flask:app",
)
CLIENTS = (1, 2, 4, 8, 16, 32)
CLIENTS_OF_KERAS = (1, 8, 32)
BATCHES = (1, 4, 16)  # images in one request
BATCH_CLIENTS = 2
SECONDS, SECONDS_QUICK = 3, 1
OBJECTS = 1000


def measure(setup: Setup) -> Found:
    found: Found = {"cores": CORES, "seconds": SECONDS_QUICK if setup.quick else SECONDS}
    ours = {"MODEL_URI": setup.material.uri, "ENGINE": "litert", "LOG_LEVEL": "WARNING"}
    keras = {"MODEL": str(setup.material.keras), "LABELS": str(setup.material.labels)}
    with serving(OURS, ours) as port:
        found["ours"] = _crowds(setup, found["seconds"], port, CLIENTS)
        found["batches"] = _batches(setup, found["seconds"], port)
    with serving(OURS, ours, on_cores(1)) as port:
        found["ours_on_one_core"] = _crowds(setup, found["seconds"], port, CLIENTS_OF_KERAS)
    with serving(KERAS, keras) as port:
        found["keras"] = _crowds(setup, found["seconds"], port, CLIENTS_OF_KERAS)
    return found | {"uploads": _uploads(setup)}


def _crowds(setup: Setup, seconds: float, port: int, sizes: tuple[int, ...]) -> Found:
    image = setup.material.image(SMALL).read_bytes()
    crowd(port, 16, seconds, image, "image/jpeg")  # every process has loaded its model
    found = {}
    for clients in sizes:
        found[str(clients)] = crowd(port, clients, seconds, image, "image/jpeg")
        say(f"{clients} clients: {found[str(clients)]['per_second']:.1f} answers a second")
    return found


def _batches(setup: Setup, seconds: float, port: int) -> Found:
    image = {"bytes": base64.b64encode(setup.material.image(SMALL).read_bytes()).decode()}
    found = {}
    for size in BATCHES:
        body = json.dumps({"images": [image] * size}).encode()
        found[str(size)] = size * crowd(port, BATCH_CLIENTS, seconds, body, "application/json")["per_second"]
        say(f"{size} images a request: {found[str(size)]:.1f} images a second")
    return found


def _uploads(setup: Setup) -> list[Found]:
    few = setup.times(OBJECTS // 5)
    bursts = [Burst(setup.times(OBJECTS), 10, CORES), Burst(few, 1, CORES), Burst(few, 10, 1)]
    found = []
    for burst in bursts:
        with serving(MOTO, {}) as port:
            found.append(_burst(setup, burst, port))
        say(f"{burst}: {found[-1]['per_second']:.1f} objects a second, {found[-1]['results']} results")
    return found


def _burst(setup: Setup, burst: Burst, port: int) -> Found:
    environment = describe(port) | {"MODEL_URI": setup.material.uri, "ENGINE": "litert", "LOG_LEVEL": "WARNING"}
    command = [sys.executable, "-m", "bench.uploads", str(burst.objects), str(burst.batch), str(burst.cores)]
    done = subprocess.run(
        [*command, str(setup.material.image(SMALL))],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


def tables(found: Found) -> str:
    columns = [
        ("ours", f"this project, {found['cores']} cores"),
        ("ours_on_one_core", "this project, 1 core"),
        ("keras", "Keras behind Flask"),
    ]
    rows = [[clients, *(_cell(found[name].get(clients)) for name, _ in columns)] for clients in map(str, CLIENTS)]
    clients = table(["clients at once: answers a second (p50 / p95 ms)", *(title for _, title in columns)], rows)
    batches = table(
        ["images in one request", *found["batches"]], [["images a second", *map(figure, found["batches"].values())]]
    )
    bursts = table(
        ["objects", "messages a batch", "cores", "objects a second", "results"],
        [
            [
                str(each["objects"]),
                str(each["batch"]),
                str(each["cores"]),
                figure(each["per_second"]),
                str(each["results"]),
            ]
            for each in found["uploads"]
        ],
    )
    note = (
        "30 kB JPEGs; clients and S3 (moto's server) run on the same cores. Keras behind Flask runs under gunicorn with one "
        "process and eight threads, as Cloud Run's quickstart has it."
    )
    return section(
        "Throughput",
        clients,
        "Batches, two clients:",
        batches,
        "Bursts of uploads, S3 → function → result:",
        bursts,
        note,
    )


def _cell(found: Found | None) -> str:
    return (
        f"{figure(found['per_second'])} ({figure(found['ms']['p50'])} / {figure(found['ms']['p95'])})" if found else ""
    )


def goals(found: Found) -> list[Goal]:
    burst = found["uploads"][0]
    return [
        Goal(
            f"a burst of {OBJECTS:,} uploads gives as many results",
            f"{burst['results']:,} results of {burst['objects']:,} objects, {figure(burst['per_second'])} a second",
            burst["results"] == burst["objects"],
        )
    ]
