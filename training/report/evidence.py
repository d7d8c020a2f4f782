"""Where in an image a wrong answer came from: the model's maps, what speaks for the answer minus what speaks for the label."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model.classifier import Classifier
from model.errors import ImageError
from model.image import decode, read_image
from training.report.content import Mistake
from training.run import Run


def with_evidence(
    classifier: Classifier, labels: tuple[str, ...], mistakes: Sequence[Mistake], most: int, run: Run
) -> tuple[Mistake, ...]:
    """Add the evidence to the first `most` mistakes, whose labels are in score order; of an old model there is none."""
    found = (_explained(classifier, labels, mistake, run) for mistake in mistakes[:most])
    return (*run.progress.items("explaining mistakes", found, min(most, len(mistakes))), *mistakes[most:])


def _explained(classifier: Classifier, labels: tuple[str, ...], mistake: Mistake, run: Run) -> Mistake:
    try:
        tensor = decode(read_image(mistake.path, run.limits), run.limits).tensor  # (299, 299, 3)
    except (ImageError, OSError):
        return mistake  # it is gone; the page says so
    maps = classifier.engine.run(tensor[np.newaxis]).maps  # (1, 8, 8, K)
    if maps is None:
        return mistake
    named, label = (labels.index(name) for name in (mistake.named, mistake.label))
    return replace(mistake, evidence=maps[0, :, :, named] - maps[0, :, :, label])
