"""Labels that were flipped at random, and how many of them are found."""

import numpy as np

from tests.support.folded import folded_of
from training.folds import judge
from training.head import LabelledFeatures
from training.suspects import find_suspects

LABELS = "abcdefgh"


def flipped(labelled: LabelledFeatures, share: float, seed: int) -> tuple[LabelledFeatures, set[int]]:
    """Give a share of the images a random other label."""
    random = np.random.default_rng(seed)
    classes = labelled.classes.copy()
    count = len(np.unique(classes))
    rows = random.choice(len(classes), round(share * len(classes)), replace=False)
    classes[rows] = (classes[rows] + random.integers(1, count, len(rows))) % count
    return LabelledFeatures(labelled.features, classes), set(rows.tolist())


def found_among(labelled: LabelledFeatures, share: float, seed: int) -> tuple[float, float, int]:
    """Precision and recall of the list, and its length."""
    wrong, rows = flipped(labelled, share, seed)
    folded = folded_of(wrong)
    judged = judge(folded)
    assert judged
    listed = {folded.examples.index(suspect.example) for suspect in find_suspects(folded, judged, LABELS)}
    hits = len(listed & rows)
    return hits / max(len(listed), 1), hits / max(len(rows), 1), len(listed)
