"""How long training takes and what it reaches, beside retrain.py's recipe on the same images and the same split."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.candidates import Candidate
from bench.figures import of_proportions
from bench.held_out import held_out, scores_of
from bench.machine import CORES
from bench.material import compiled_of
from bench.process import run
from bench.section import Comparison, Found, Goal, Section, Setup, say
from bench.tables import cell, figure, versus
from model.engine import LitertEngine
from training.weights import find_weights

THEIR_STEPS = 4000  # retrain.py's default
SHORT = 0.1  # s; steps that take less are not listed
OURS, AGAIN, THEIRS = "this project", "again, features cached", "retrain.py's recipe"
ALL, GAINED = "**all: folder → exported model**", "ours minus theirs, points (95 % interval)"


def measure(setup: Setup) -> Found:
    folder = setup.material.folder / "training"
    shutil.rmtree(folder, ignore_errors=True)
    ours, theirs = folder / "ours", folder / "theirs"
    weights = {"weights": str(find_weights(setup.material.weights, setup.material.folder).path)}
    photos = {"photos": str(setup.material.photos)}
    lists = {"lists": str(ours / "lists.json"), "steps": setup.times(THEIR_STEPS)}
    seconds: Found = {ALL: {}}
    for column, module, into, event in (
        (OURS, "bench.retraining", ours, photos),
        (AGAIN, "bench.retraining", ours, photos),
        (THEIRS, "bench.baselines.retrain", theirs, lists),
    ):
        seconds[ALL][column], said = _ask(Candidate(module), into, event | weights)
        say(f"{column}: {seconds[ALL][column]:.0f} s")
        for step, took in said["steps"].items():
            if took >= SHORT:
                seconds.setdefault(step, {})[column] = took
    return {"seconds": seconds, "accuracy": _accuracy(setup, ours, theirs, lists)}


def _ask(candidate: Candidate, folder: Path, event: dict[str, Any]) -> tuple[float, Any]:
    """Seconds from the start of a process to its answer, and what it said."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "event.json"
    file.write_text(json.dumps(event | {"folder": str(folder)}))
    with run(candidate, file) as process:
        return process.first.total, json.loads(process.first.body)


def _accuracy(setup: Setup, ours: Path, theirs: Path, lists: dict[str, Any]) -> Found:
    """Of both published models, on photos that neither was taught."""
    unseen = held_out(setup.material)
    say(f"naming {len(unseen.photos):,} photos with both models")
    ours_right = unseen.right(scores_of(LitertEngine(compiled_of(ours / "store"), CORES), unseen.photos))
    asked = lists | {"photos": [str(photo) for photo in unseen.photos]}
    _, named = _ask(Candidate("bench.baselines.retrain", "classify"), theirs, asked)
    theirs_right = np.array([name == photo.parent.name for name, photo in zip(named, unseen.photos, strict=True)])
    return {
        f"of {len(unseen.photos):,} photos that neither was taught": {
            OURS: _share(ours_right),
            THEIRS: _share(theirs_right),
        },
        GAINED: {OURS: of_proportions(ours_right, theirs_right)},
    }


def _share(right: NDArray[np.bool_]) -> Found:
    return {"share": float(right.mean())}


def headline(found: Found) -> Comparison:
    ours, theirs = (found["seconds"][ALL][column] for column in (OURS, THEIRS))
    return Comparison("training: from a folder of photos to an exported model", ours, THEIRS, theirs, "s")


def goals(found: Found) -> list[Goal]:
    gained = found["accuracy"][GAINED][OURS]
    return [
        Goal(
            "training ≥ 10 × faster than retrain.py's recipe, end to end",
            f"{versus(headline(found))}; again, from cached features, {figure(found['seconds'][ALL][AGAIN])} s",
            headline(found).ratio >= 10,
            "ours also compiles, proves the compiled model on the test images with both engines, and publishes",
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
