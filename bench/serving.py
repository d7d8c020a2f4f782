"""How fast the function answers: python bench/serving.py MODEL_URI PHOTO [STARTS]. Its figures are those of the README.

A start is a new process, from its first instruction to the answer, through handler.http and an HTTP API event. Engines are
compared with the least a program can do: import the same libraries, load the same model, answer once.
"""

import base64
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
EVENT = ROOT / "tests/events/apigateway-v2-image.json"
WARM = 50  # answers after the first

FUNCTION = """
import json, os, resource, sys, time
import handler
imported = time.time()
event = json.load(open(sys.argv[2]))
answer = handler.http(event, None)
assert answer["statusCode"] == 200, answer
done, warm = time.time(), []
for _ in range(int(sys.argv[3])):
    began = time.perf_counter()
    timing = handler.http(event, None)["headers"]["Server-Timing"]
    decode, infer = (float(part.partition("dur=")[2]) for part in timing.split(", "))
    warm.append([(time.perf_counter() - began) * 1000, decode, infer])
started, peak = float(sys.argv[1]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"imports": imported - started, "total": done - started, "warm": warm, "peak": peak}))
"""
BARE_IMPORTS = """
import json, sys, time
import flask, serverless_wsgi, numpy, PIL.Image, ai_edge_litert.interpreter
print(json.dumps({"total": time.time() - float(sys.argv[1])}))
"""
BARE_TENSORFLOW = """
import json, sys, time
import numpy, tensorflow
model = tensorflow.saved_model.load(sys.argv[2])
image = tensorflow.constant(numpy.zeros((1, 299, 299, 3), numpy.uint8))
model.signatures["serving_default"](image=image)
print(json.dumps({"total": time.time() - float(sys.argv[1])}))
"""


def start(script: str, *arguments: str, **environment: str) -> dict:
    """Run a script in a process of its own, compiled to bytecode as the image is; return what it prints."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", script, str(time.time()), *arguments]
    printed = subprocess.run(
        command, cwd=ROOT, env=inherited | environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    ).stdout
    return json.loads(printed.splitlines()[-1])


def event_file(photo: Path) -> Path:
    event = json.loads(EVENT.read_text()) | {"body": base64.b64encode(photo.read_bytes()).decode()}
    path = ROOT / "build" / f"event-{photo.stem}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(event))
    return path


def enlarge(photo: Path) -> Path:
    """A 12-megapixel photo of the same scene, with the grain that a camera adds."""
    from PIL import Image

    path = ROOT / "build" / "photo-12-megapixels.jpg"
    with Image.open(photo) as small:
        small.convert("RGB").resize((4000, 3000)).effect_spread(2).save(path, quality=92)
    return path


def say(what: str, seconds: list[float]) -> None:
    print(f"{what:48} best {min(seconds):6.3f} s   median {statistics.median(seconds):6.3f} s   N = {len(seconds)}")


def say_warm(what: str, warm: list[list[float]]) -> None:
    total, decode, infer = (statistics.median(column) for column in zip(*warm, strict=True))
    print(
        f"{what:48} median {total:5.1f} ms = engine {infer:.1f} + decode {decode:.1f} + all else {total - infer - decode:.1f}"
    )


def main(uri: str, photo: Path, starts: int) -> None:
    small, large = event_file(photo), event_file(enlarge(photo))
    say("bare imports", [start(BARE_IMPORTS)["total"] for _ in range(starts)])
    twin = [start(FUNCTION, str(small), "0", MODEL_URI=uri, ENGINE="litert") for _ in range(starts)]
    say("litert: process to first answer", [one["total"] for one in twin])
    say("        of which imports", [one["imports"] for one in twin])
    warm = start(FUNCTION, str(small), str(WARM), MODEL_URI=uri, ENGINE="litert")
    say_warm(f"        warm, {photo.stat().st_size / 1000:.0f} kB", warm["warm"])
    grain = start(FUNCTION, str(large), str(WARM), MODEL_URI=uri, ENGINE="litert")
    say_warm("        warm, 12 megapixels", grain["warm"])
    print(f"        peak memory {warm['peak']:.0f} MB, with 12 megapixels {grain['peak']:.0f} MB")
    sys.path.insert(0, str(ROOT))
    from model.store import locate

    place = locate(uri)
    directory = str(place.pull(place.manifest(), list(place.manifest().files)))
    say("bare TensorFlow script", [start(BARE_TENSORFLOW, directory)["total"] for _ in range(starts)])
    whole = [start(FUNCTION, str(small), "0", MODEL_URI=uri, ENGINE="tensorflow") for _ in range(starts)]
    say("tensorflow: process to first answer", [one["total"] for one in whole])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 5)
