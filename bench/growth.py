"""How training grows: ten times the photos, as re-encoded copies, beside the photos themselves. By name only: it takes minutes."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image

from bench.candidates import Candidate
from bench.machine import CORES
from bench.process import First
from bench.section import Found, Goal, Section, Setup, say
from bench.tables import figure
from bench.training import SHORT, ask, forget_features
from training.weights import find_weights

TIMES = 10  # as many photos
QUALITIES = range(76, 76 + 2 * TIMES, 2)  # of the copies' JPEGs: no two are the same file
ONCE, OFTEN = "the photos", f"{TIMES} × the photos"
ALL, EXTRACTION, PEAK = "all", "reading, decoding, features", "peak MB, {} process"
MOST_MB = 1200  # the goal
MOST_SLOWER = 1.15  # the goal


def measure(setup: Setup) -> Found:
    folder = setup.material.folder / "growth"
    shutil.rmtree(folder, ignore_errors=True)
    photos = setup.material.photos if setup.quick else setup.material.all_photos
    copies = _copies(photos, folder / "photos")
    weights = str(find_weights(setup.material.weights, setup.material.folder).path)
    rows: Found = {}
    for row, images in (("compiling the backbone", photos), (ONCE, photos), (OFTEN, copies)):
        forget_features(folder)
        rows[row] = _row(ask(Candidate("bench.retraining"), folder, {"weights": weights, "photos": str(images)}))
        say(f"{row}: {rows[row]}")
    shutil.rmtree(folder)
    return {"growth": {row: rows[row] for row in (ONCE, OFTEN)}}


def _copies(photos: Path, folder: Path) -> Path:
    def copy(photo: Path) -> None:
        (folder / photo.parent.name).mkdir(parents=True, exist_ok=True)
        with Image.open(photo) as picture:
            for quality in QUALITIES:
                picture.save(folder / photo.parent.name / f"{photo.stem}-{quality}.jpg", quality=quality)

    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(copy, photos.glob("*/*.jpg")))
    return folder


def _row(first: First) -> Found:
    said: dict[str, Any] = json.loads(first.body)
    steps = {step: took for step, took in said["steps"].items() if took >= SHORT}
    extraction = steps.pop("photos") + steps.pop("features", 0)
    return {ALL: first.total, EXTRACTION: extraction, **steps} | {
        PEAK.format(name): peak for name, peak in said["peaks"].items()
    }


def goals(found: Found) -> list[Goal]:
    once, often = found["growth"][ONCE], found["growth"][OFTEN]
    peaks = [often[PEAK.format(name)] for name in ("ours", "TensorFlow's")]
    fixed = once[ALL] - once[EXTRACTION]
    most = MOST_SLOWER * TIMES * once[EXTRACTION] + fixed
    return [
        Goal(
            f"{TIMES} × the photos take at most {MOST_SLOWER} × {TIMES} × the time of their features, and what does not grow",
            f"{figure(often[ALL])} s of {figure(most)} s",
            often[ALL] <= most,
            "the folds grow faster",
        ),
        Goal(
            f"{TIMES} × the photos are learned with no process over {MOST_MB:,} MB",
            " and ".join(f"{figure(peak)} MB" for peak in peaks),
            max(peaks) < MOST_MB,
            "every feature is held several times while the folds are fitted",
        ),
    ]


GROWTH = Section(
    "Training on more photos",
    {"growth": "seconds"},
    f"One run each, the backbone compiled before. The copies are the photos as JPEGs of {TIMES} qualities. Measured by "
    "`python -m bench growth` alone, which takes some minutes more.",
    measure,
    goals,
)
