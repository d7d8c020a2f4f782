"""Our retrain as a candidate: its event names photos, weights and a folder, its answer says what each step took.

It does what `python -m training retrain` does, and keeps features and split, for the recipe to be compared on the same.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from model.store import open_store
from training.backbone import inception_v3
from training.pipeline import Job, Outcome, retrain
from training.run import Run
from training.weights import find_weights


def handler(event: dict[str, str], _: object) -> dict[str, Any]:
    folder = Path(event["folder"])
    backbone = inception_v3(find_weights(event["weights"], folder))
    job = Job(Path(event["photos"]), "flowers", folder / "bottlenecks")
    outcome = retrain(job, backbone, open_store(str(folder / "store")), Run())
    _keep(outcome, folder)
    return {"statusCode": 200, "body": json.dumps({"steps": outcome.manifest.training.get("seconds", {})})}


def _keep(outcome: Outcome, folder: Path) -> None:
    """Write features by path, and the lists of paths by label and part."""
    paths = [str(example.path) for example in outcome.dataset.examples]
    np.savez(folder / "features.npz", paths=paths, features=outcome.features.values)
    parts = {"training": outcome.split.train, "validation": outcome.split.validation, "testing": outcome.split.test}
    lists = {
        label: {
            part: [str(example.path) for example in chosen if example.label == label] for part, chosen in parts.items()
        }
        for label in outcome.dataset.labels
    }
    (folder / "lists.json").write_text(json.dumps(lists))
