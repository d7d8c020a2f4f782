"""Our retrain as a candidate: its event names photos, weights and a folder, its answer says what each step took.

It does what `python -m training retrain` does but for the report, and keeps the split, for the recipe to be compared on the same.
"""

import json
import resource
from pathlib import Path
from typing import Any

from model.stores.uri import open_store
from training.job import Job
from training.pipeline import Outcome, retrain
from training.run import Run
from training.tensorflow_process import tensorflow_process
from training.weights import find_weights, inception_v3


def handler(event: dict[str, str], _: object) -> dict[str, Any]:
    folder = Path(event["folder"])
    backbone = inception_v3(find_weights(event["weights"], folder))
    job = Job(Path(event["photos"]), "flowers", folder / "bottlenecks")
    outcome = retrain(job, backbone, open_store(str(folder / "store")), Run())
    (folder / "lists.json").write_text(json.dumps(_lists(outcome)))
    return {"statusCode": 200, "body": json.dumps({"steps": outcome.seconds, "peaks": _peaks()})}


def _peaks() -> dict[str, float]:
    """The most memory, in MB, that this process held, and that TensorFlow's did."""
    tensorflow_process().stop()  # only what was waited for is counted
    return {
        name: resource.getrusage(who).ru_maxrss / 1024  # kB → MB
        for name, who in (("ours", resource.RUSAGE_SELF), ("TensorFlow's", resource.RUSAGE_CHILDREN))
    }


def _lists(outcome: Outcome) -> dict[str, dict[str, list[str]]]:
    """Paths by label and part, under retrain.py's names."""
    parts = {"training": outcome.split.train, "validation": outcome.split.validation, "testing": outcome.split.test}
    return {
        label: {
            part: [str(example.path) for example in chosen if example.label == label] for part, chosen in parts.items()
        }
        for label in outcome.dataset.labels
    }
