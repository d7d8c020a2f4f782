"""How long training takes and what it reaches, beside retrain.py's recipe on the same images and the same split."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.candidates import Candidate
from bench.figures import over_splits
from bench.heads import TEST, our_accuracy, random_parts, their_accuracy
from bench.process import run
from bench.section import Comparison, Found, Goal, Section, Setup, say
from bench.tables import cell, figure, versus
from training.weights import find_weights

THEIR_STEPS = 4000  # retrain.py's default
SPLITS = 10
SHORT = 0.1  # s; steps that take less are not listed
OURS, AGAIN, THEIRS = "this project", "again, features cached", "retrain.py's recipe"
ALL, GAINED = "**all: folder → published model**", "ours minus theirs, points (95 % interval)"


def measure(setup: Setup) -> Found:
    folder = setup.material.folder / "training"
    shutil.rmtree(folder, ignore_errors=True)
    ours, theirs, steps = folder / "ours", folder / "theirs", setup.times(THEIR_STEPS)
    weights = str(find_weights(setup.material.weights, setup.material.folder).path)
    photos = {"photos": str(setup.material.photos), "weights": weights}
    lists = {"lists": str(ours / "lists.json"), "weights": weights, "steps": steps}
    seconds: Found = {}
    for column, module, into, event in (
        (OURS, "bench.retraining", ours, photos),
        (AGAIN, "bench.retraining", ours, photos),
        (THEIRS, "bench.baselines.retrain", theirs, lists),
    ):
        took = _seconds(module, into, event)
        say(f"{column}: {took[ALL]:.0f} s")
        for step, each in took.items():
            seconds.setdefault(step, {})[column] = each
    seconds[ALL] = seconds.pop(ALL)  # it comes last
    accuracy = _over_splits(setup, _features(ours / "features.npz"), _bottlenecks(theirs), steps)
    return {"seconds": seconds, "accuracy": accuracy}


def _seconds(module: str, folder: Path, event: dict[str, Any]) -> dict[str, float]:
    """Run a program in a process of its own: the seconds of each of its steps, and of the process."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "event.json"
    file.write_text(json.dumps(event | {"folder": str(folder)}))
    with run(Candidate(module), file) as process:
        steps = json.loads(process.first.body)["steps"]
        return {name: took for name, took in steps.items() if took >= SHORT} | {ALL: process.first.total}


def _features(file: Path) -> dict[str, NDArray[np.float32]]:
    """Ours, by label and name of the photo."""
    with np.load(file) as kept:
        keys = ["/".join(Path(path).parts[-2:]) for path in kept["paths"].tolist()]
        return dict(zip(keys, kept["features"], strict=True))


def _bottlenecks(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Theirs, each from its text file."""
    files = folder.glob("*/*_inception_v3.txt")
    return {
        f"{file.parent.name}/{file.name.removesuffix('_inception_v3.txt')}": np.fromstring(
            file.read_text(), np.float32, sep=","
        )
        for file in files
    }


def _over_splits(
    setup: Setup, ours: dict[str, NDArray[np.float32]], theirs: dict[str, NDArray[np.float32]], steps: int
) -> Found:
    photos = sorted(ours)
    labels = sorted({Path(photo).parent.name for photo in photos})
    classes = np.array([labels.index(Path(photo).parent.name) for photo in photos])
    our_features, their_features = (np.stack([features[photo] for photo in photos]) for features in (ours, theirs))
    reached: dict[str, list[float]] = {OURS: [], THEIRS: []}
    for seed in range(setup.times(SPLITS)):
        parts = random_parts(len(photos), seed)
        reached[OURS].append(our_accuracy(our_features, classes, parts))
        reached[THEIRS].append(their_accuracy(their_features, classes, parts, steps, seed))
        say(f"split {seed}: ours {reached[OURS][-1]:.1%}, retrain.py's {reached[THEIRS][-1]:.1%}")
    gained = over_splits([mine - other for mine, other in zip(reached[OURS], reached[THEIRS], strict=True)], TEST)
    return {
        f"mean of {gained.n} splits (from – to), {round(len(photos) * TEST)} of {len(photos):,} photos tested": {
            name: f"{fmean(each):.1%} ({min(each):.1%} – {max(each):.1%})" for name, each in reached.items()
        },
        GAINED: {OURS: asdict(gained)},
    }


def headline(found: Found) -> Comparison:
    all_of_it = found["seconds"][ALL]
    return Comparison(
        "training: from a folder of photos to a published model", all_of_it[OURS], THEIRS, all_of_it[THEIRS], "s"
    )


def goals(found: Found) -> list[Goal]:
    gained, again = found["accuracy"][GAINED][OURS], found["seconds"][ALL][AGAIN]
    return [
        Goal(
            "training ≥ 10 × faster than retrain.py's recipe, end to end",
            f"{versus(headline(found))}; again, from cached features, {figure(again)} s",
            headline(found).ratio >= 10,
            "ours also proves the compiled model on the test images with both engines, and publishes",
        ),
        Goal(
            "at least as accurate as retrain.py's recipe (paired)",
            f"{cell(gained)} points over {gained['n']} splits",
            gained["mean"] >= 0,
            "the interval says whether that is more than chance",
        ),
    ]


TRAINING = Section(
    "Training",
    {"seconds": "seconds", "accuracy": "accuracy"},
    f"retrain.py's recipe does {THEIR_STEPS:,} steps of 100, reads bottlenecks as text, and trains on float features; ours on "
    "those of the compiled model. Splits overlap, for which the interval is corrected (Nadeau and Bengio, 2003). The recipe "
    "proves nothing and compiles nothing at its end.",
    measure,
    goals,
    headline,
)
