"""How long training takes and what it reaches, beside retrain.py's recipe on the same images and the same split."""

import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from bench.figures import over_splits
from bench.heads import TEST, our_accuracy, random_parts, their_accuracy
from bench.machine import ROOT
from bench.section import Found, Goal, Setup, say
from bench.tables import difference, figure, ratio, section, table
from training.weights import find_weights

THEIR_STEPS = 4000  # retrain.py's default
SPLITS = 10
HEAD = "fitting the head"
STEPS = {  # what our steps hold, where their names do not say it all
    "images": "hashing and decoding each image once",
    "after images": "importing TensorFlow, compiling the backbone's twin",
    HEAD: "fitting the head, building the Keras network (cached: importing TensorFlow)",
    "scoring with tensorflow": "scoring the test images with TensorFlow",
    "scoring with litert": "scoring the test images with the twin",
}


def measure(setup: Setup) -> Found:
    folder = setup.material.folder / "training"
    shutil.rmtree(folder, ignore_errors=True)
    ours, theirs = folder / "ours", folder / "theirs"
    for each in (ours, theirs):
        each.mkdir(parents=True)
    weights = find_weights(setup.material.weights, setup.material.folder)  # random ones are made by now
    first = _timed("bench.our_training", setup.material.photos, weights.path, ours)
    say(f"ours: {first['seconds']:.0f} s")
    again = _timed("bench.our_training", setup.material.photos, weights.path, ours)
    say(f"ours again, from the cache: {again['seconds']:.0f} s")
    steps = setup.times(THEIR_STEPS)
    recipe = _timed("bench.peers.retrain", ours / "lists.json", weights.path, theirs, str(steps))
    say(f"retrain.py's recipe: {recipe['seconds']:.0f} s")
    return {
        "images": setup.material.photos_count,
        "ours": first,
        "again": again,
        "recipe": recipe | {"steps": steps},
        "splits": _over_splits(setup, ours / "features.npz", theirs / "features.npz", steps),
    }


def _timed(module: str, *arguments: str | Path) -> Found:
    """Run a program that prints what it found; add the seconds that its process took."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found | {"seconds": time.monotonic() - began}


def _over_splits(setup: Setup, our_file: Path, their_file: Path, steps: int) -> Found:
    ours, theirs, paths = _features(our_file), _features(their_file), sorted(_features(our_file))
    labels = sorted({Path(path).parent.name for path in paths})
    classes = np.array([labels.index(Path(path).parent.name) for path in paths])
    our_features, their_features = (np.stack([features[path] for path in paths]) for features in (ours, theirs))
    accuracies: dict[str, list[float]] = {"ours": [], "recipe": []}
    for seed in range(setup.times(SPLITS)):
        parts = random_parts(len(paths), seed)
        accuracies["ours"].append(our_accuracy(our_features, classes, parts))
        accuracies["recipe"].append(their_accuracy(their_features, classes, parts, steps, seed))
        say(f"split {seed}: ours {accuracies['ours'][-1]:.1%}, retrain.py's {accuracies['recipe'][-1]:.1%}")
    differences = [ours - theirs for ours, theirs in zip(accuracies["ours"], accuracies["recipe"], strict=True)]
    tested = round(len(paths) * TEST)
    return accuracies | {"difference": asdict(over_splits(differences, TEST)), "tested": tested}


def _features(file: Path) -> dict[str, NDArray[np.float32]]:
    with np.load(file) as kept:
        return dict(zip(kept["paths"].tolist(), kept["features"], strict=True))


def tables(found: Found) -> str:
    ours, recipe, images = found["ours"], found["recipe"], found["images"]
    rows = [
        ["features, images a second", figure(images / ours["steps"]["features"]), figure(images / recipe["features"])],
        ["features, s", figure(ours["steps"]["features"]), figure(recipe["features"])],
        ["head, s", figure(ours["steps"][HEAD]), figure(recipe["head"])],
        ["all: folder → published model, s", f"**{figure(ours['seconds'])}**", f"**{figure(recipe['seconds'])}**"],
        ["again, features cached, s", figure(found["again"]["seconds"]), "–"],
        [
            f"accuracy over {len(found['splits']['ours'])} splits",
            *(_accuracy(found["splits"][name]) for name in ("ours", "recipe")),
        ],
        ["ours minus theirs, points (95 % interval)", difference(found["splits"]["difference"]), ""],
    ]
    steps = table(["ours, step by step: s", "first run", "cached"], _steps(ours, found["again"]))
    note = (
        f"{images:,} photos; retrain.py's recipe does {recipe['steps']:,} steps of 100, reads bottlenecks as text, and trains on "
        f"float features; ours on those of the int8 twin. Each split tests {found['splits']['tested']} photos; its interval is "
        "corrected for the overlap of splits (Nadeau and Bengio, 2003). The recipe proves nothing and compiles nothing at its end."
    )
    return section("Training", table(["", "this project", "retrain.py's recipe"], rows), steps, note)


def _accuracy(values: list[float]) -> str:
    return f"{fmean(values):.1%} ({min(values):.1%} – {max(values):.1%})"


def _steps(first: Found, again: Found) -> list[list[str]]:
    rows = [
        [STEPS.get(name, name), figure(seconds), figure(again["steps"].get(name, 0))]
        for name, seconds in first["steps"].items()
        if seconds >= 0.1
    ]
    rest = [figure(run["seconds"] - sum(run["steps"].values())) for run in (first, again)]
    return [*rows, ["interpreter, imports, and what is under 0.1 s", *rest]]


def goals(found: Found) -> list[Goal]:
    ours, theirs, gained = found["ours"]["seconds"], found["recipe"]["seconds"], found["splits"]["difference"]
    return [
        Goal(
            "training ≥ 10 × faster than retrain.py's recipe, end to end",
            f"{ratio(theirs, ours)} ({figure(ours)} s against {figure(theirs)} s; again, from cached features, "
            f"{figure(found['again']['seconds'])} s)",
            theirs >= 10 * ours,
            "ours also compiles two twins, proves the shipped one on the test images with both engines, and publishes",
        ),
        Goal(
            "at least as accurate as retrain.py's recipe (paired)",
            f"{difference(gained)} points over {gained['n']} splits",
            gained["mean"] >= 0,
            "the interval says whether that is more than chance",
        ),
    ]
