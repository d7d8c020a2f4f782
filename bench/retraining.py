"""Our retrain as a candidate: its event names photos, weights and a folder, its answer says what each step took.

It does what `python -m training retrain` does, and keeps the split, for the recipe to be compared on the same.
"""

import json
from pathlib import Path
from typing import Any

from model.stores.uri import open_store
from training.pipeline import Job, Outcome, retrain
from training.run import Run
from training.weights import find_weights, inception_v3


def handler(event: dict[str, str], _: object) -> dict[str, Any]:
    folder = Path(event["folder"])
    backbone = inception_v3(find_weights(event["weights"], folder))
    job = Job(Path(event["photos"]), "flowers", folder / "bottlenecks")
    outcome = retrain(job, backbone, open_store(str(folder / "store")), Run())
    (folder / "lists.json").write_text(json.dumps(_lists(outcome)))
    return {"statusCode": 200, "body": json.dumps({"steps": outcome.manifest.training.get("seconds", {})})}


def _lists(outcome: Outcome) -> dict[str, dict[str, list[str]]]:
    """Paths by label and part, under retrain.py's names."""
    parts = {"training": outcome.split.train, "validation": outcome.split.validation, "testing": outcome.split.test}
    return {
        label: {
            part: [str(example.path) for example in chosen if example.label == label] for part, chosen in parts.items()
        }
        for label in outcome.dataset.labels
    }
