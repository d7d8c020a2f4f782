"""How long training takes and what it reaches, beside retrain.py's recipe on the same images and the same split."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.candidates import Candidate
from bench.figures import of_proportions
from bench.held_out import HeldOut, scores_of
from bench.machine import CORES
from bench.material import compiled_of
from bench.process import First, run
from bench.section import Comparison, Found, Goal, Section, Setup, say
from bench.tables import cell, figure, ratio, versus
from model.engine import LitertEngine
from training.weights import find_weights

THEIR_STEPS = 4000  # retrain.py's default
SHORT = 0.1  # s; steps that take less are not listed
OURS, OTHERS, AGAIN = "this project", "other photos, backbone kept", "again, features kept"
THEIRS = "retrain.py's recipe"
ALL, PHOTOS, FEATURES = "**all: folder → exported model**", "photos", "features"
GAINED = "ours minus theirs, points (95 % interval)"


def measure(setup: Setup) -> Found:
    folder = setup.material.folder / "training"
    shutil.rmtree(folder, ignore_errors=True)
    ours, theirs = folder / "ours", folder / "theirs"
    weights = {"weights": str(find_weights(setup.material.weights, setup.material.folder).path)}
    photos = {"photos": str(setup.material.photos if setup.quick else setup.material.all_photos)}
    lists = {"lists": str(ours / "lists.json"), "steps": setup.times(THEIR_STEPS)}
    seconds: Found = {ALL: {}}
    for column, module, into, event in (
        (OURS, "bench.retraining", ours, photos),
        (OTHERS, "bench.retraining", ours, photos),
        (AGAIN, "bench.retraining", ours, photos),
        (THEIRS, "bench.baselines.retrain", theirs, lists),
    ):
        if column == OTHERS:
            forget_features(ours)
        first = ask(Candidate(module), into, event | weights)
        said, seconds[ALL][column] = json.loads(first.body), first.total
        say(f"{column}: {first.total:.0f} s")
        for step, took in said["steps"].items():
            if took >= SHORT:
                seconds.setdefault(step, {})[column] = took
    return {"seconds": seconds, "accuracy": _accuracy(ours, said["named"])}


def ask(candidate: Candidate, folder: Path, event: dict[str, Any]) -> First:
    """What a process answered to one event, seconds from its start."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "event.json"
    file.write_text(json.dumps(event | {"folder": str(folder)}))
    with run(candidate, file) as process:
        return process.first


def forget_features(folder: Path) -> None:
    """Leave what does not depend on the photos: to the same backbone, they are new."""
    for file in (folder / "bottlenecks").glob("features.sqlite*"):
        file.unlink()


def _accuracy(ours: Path, named: list[str]) -> Found:
    """Of both models on the photos that their common split keeps for testing, which the recipe has named already."""
    parts = json.loads((ours / "lists.json").read_text())
    labels = list(parts)
    tested = [(Path(photo), number) for number, label in enumerate(labels) for photo in parts[label]["testing"]]
    unseen = HeldOut([photo for photo, _ in tested], labels, np.array([number for _, number in tested]))
    ours_right = unseen.right(scores_of(LitertEngine(compiled_of(ours / "store"), CORES), unseen.photos))
    theirs_right = np.array([labels.index(name) for name in named]) == unseen.classes
    return {
        f"of {len(tested):,} photos that neither was taught": {OURS: _share(ours_right), THEIRS: _share(theirs_right)},
        GAINED: {OURS: of_proportions(ours_right, theirs_right)},
    }


def _share(right: NDArray[np.bool_]) -> Found:
    return {"share": float(right.mean())}


def headline(found: Found) -> Comparison:
    ours, theirs = (found["seconds"][ALL][column] for column in (OURS, THEIRS))
    return Comparison("training: from a folder of photos to an exported model", ours, THEIRS, theirs, "s")


def goals(found: Found) -> list[Goal]:
    gained = found["accuracy"][GAINED][OURS]
    first, others, again, theirs = (found["seconds"][ALL][column] for column in (OURS, OTHERS, AGAIN, THEIRS))
    extraction = found["seconds"][PHOTOS][OTHERS] + found["seconds"].get(FEATURES, {}).get(OTHERS, 0)
    return [
        Goal(
            "training ≥ 6 × faster than retrain.py's recipe, end to end",
            versus(headline(found)),
            headline(found).ratio >= 6,
            "ours also compiles, proves the compiled model with both engines, judges itself out of fold, and publishes",
        ),
        Goal(
            "again ≥ 20 × faster, and ≤ 12 s, with every feature kept",
            f"{ratio(theirs, again)}, {figure(again)} s",
            theirs / again >= 20 and again <= 12,
            "importing TensorFlow takes a third of it",
        ),
        Goal(
            "other photos, the backbone compiled before: ≤ 1.5 × the time of reading, decoding and features + 12 s",
            f"{figure(others)} s, of which {figure(extraction)} s are that",
            others <= 1.5 * extraction + 12,
            "the proof by TensorFlow is most of the rest",
        ),
        Goal(
            "a first run ≤ 13 s more than that",
            f"{figure(first)} s",
            first <= 1.5 * extraction + 25,
            "compiling the backbone is one core's work",
        ),
        Goal(
            "at least as accurate as retrain.py's recipe (paired)",
            f"{cell(gained)} points",
            gained["mean"] >= 0,
            "the interval says whether that is more than chance",
        ),
    ]


TRAINING = Section(
    "Training",
    {"seconds": "seconds", "accuracy": "accuracy"},
    f"One run each. retrain.py's recipe does {THEIR_STEPS:,} steps of 100, reads bottlenecks as text, and trains on float "
    "features; ours on those of the compiled model. The recipe proves nothing and compiles nothing at its end.",
    measure,
    goals,
    headline,
)
