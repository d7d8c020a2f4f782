"""Contents of reports, made from counts: what a few lines say of a model, without a training."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from model.decision import Thresholds
from training.report.content import Content, Origin, Rate, Trial

PARITY = {
    "compiled": {
        "precision": "int8",
        "images": 200,
        "top1_agreement": 0.99,
        "agreement_interval": [0.964, 0.997],
        "largest_difference": 0.121,
    },
    "refused": [],
}


def trial(confusion: Any, sure: float = 0.8, about: str = "kept for testing") -> Trial:
    """Images by [what they are][what they were named]; every answer scores `sure`."""
    counts = np.array(confusion)
    classes, named = (np.repeat(index, counts.ravel()) for index in np.indices(counts.shape).reshape(2, -1))
    scores = np.full((len(named), len(counts)), (1 - sure) / (len(counts) - 1), np.float32)
    scores[np.arange(len(named)), named] = sure
    return Trial(scores, classes, None, about)


def thresholds(labels: tuple[float | None, ...], distance: float | None = None) -> Thresholds:
    return Thresholds(0.95, labels, distance, 0.05)


def content_of(confusion: Any, labels: tuple[str, ...] = (), root: Path = Path("photos"), **more: Any) -> Content:
    """A report on a model that named so many images so; `more` are fields of Content, or of its origin."""
    names = labels or tuple("abcdefghij"[: len(confusion)])
    found = trial(confusion)
    counts = {label: int(sum(row)) for label, row in zip(names, confusion, strict=True)}
    origin = Origin(
        name="flowers",
        version=1,
        store="artifacts",
        created="2026-11-25T17:10:00+00:00",
        labels=names,
        engine="litert",
        images={"train": 70, "validation": 15, "test": 15},
        images_by_label=counts,
        set_aside=0,
        training={"head": {"solver": "softmax", "C": 0.003, "C_by": "validation"}, "layout": "<label>/<image>"},
        backbone={"name": "inception_v3", "weights": "imagenet", "sha256": "a" * 64},
        parity=PARITY,
        libraries={"numpy": "2.4"},
        git_commit="c" * 40,
        sizes={"litert": 22_000_000, "tensorflow": 89_000_000},
    )
    content = Content(
        origin=replace(origin, **{key: more.pop(key) for key in list(more) if hasattr(origin, key)}),
        tested=found,
        judged=found,
        top_k={1: found.accuracy, 2: Rate(len(found.classes), len(found.classes))},
        log_loss=None,
        mistakes=(),
        suspects=(),
        suspects_file=None,
        duplicates=(),
        curve=None,
        unfamiliar=None,
        calibration=None,
        thresholds=None,
        choices={},
        seconds={"photos": 2.0, "head": 1.0},
        command="python -m training retrain photos --name flowers",
        root=root,
        layout="<label>/<image>",
    )
    return replace(content, **more)


def said(sentence: tuple[str, ...]) -> str:
    """Its text, with plain spaces."""
    return "".join(sentence).replace("\u00a0", " ")
