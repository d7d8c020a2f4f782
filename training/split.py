"""Train / validation / test by content: a picture's own SHA-256 decides, so no rename, move or addition reshuffles it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from training.dataset import FEW, Example
from training.errors import DatasetError


class Part(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"  # chooses the regularisation
    TEST = "test"  # touched once, at the end


@dataclass(frozen=True)
class Percentages:
    """Of all images; what remains is for training."""

    testing: int = 15
    validation: int = 15

    def __post_init__(self) -> None:
        if self.testing < 1 or self.validation < 1 or self.testing + self.validation > 90:
            raise DatasetError(
                f"testing {self.testing} % and validation {self.validation} % leave no sound split: "
                "each needs at least 1 %, both together at most 90 %"
            )


@dataclass(frozen=True)
class Split:
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over which content went where under which label: two runs with equal ones saw the same data."""
        parts = {Part.TRAIN: self.train, Part.VALIDATION: self.validation, Part.TEST: self.test}
        lines = sorted(f"{e.digest} {part} {e.label}" for part, examples in parts.items() for e in examples)
        return sha256("\n".join(lines).encode()).hexdigest()


def part_of(digest: str, percentages: Percentages) -> Part:
    """Assign a content by a percentile drawn from its digest.

    The digest is hashed once more: a folder that was itself sampled by the SHA-256 of its files, a common way to take a
    subset, would otherwise fall into one part.
    """
    percentile = int.from_bytes(sha256(f"split {digest}".encode()).digest()[:8]) / 2**64 * 100
    if percentile < percentages.testing:
        return Part.TEST
    if percentile < percentages.testing + percentages.validation:
        return Part.VALIDATION
    return Part.TRAIN


def split(examples: Iterable[Example], percentages: Percentages) -> Split:
    """Divide the examples; raises DatasetError naming each class that a part would have no image of."""
    parts: dict[Part, list[Example]] = {part: [] for part in Part}
    labels = set()
    for example in examples:
        parts[part_of(example.digest, percentages)].append(example)
        labels.add(example.label)
    if len(labels) < 2:
        raise DatasetError(
            f"only one class ({', '.join(labels) or 'none'}) has images; a classifier needs at least two"
        )
    missing = [
        f"{label!r} has no image for {part}"
        for part in Part
        for label in sorted(labels - {example.label for example in parts[part]})
    ]
    if missing:
        raise DatasetError(f"{'; '.join(missing)}: add images to the class (with {FEW} of them no part stays empty)")
    return Split(tuple(parts[Part.TRAIN]), tuple(parts[Part.VALIDATION]), tuple(parts[Part.TEST]))
