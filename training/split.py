"""Train / validation / test by content: a picture's own pixels decide, so no rename, move, addition or edited metadata reshuffles it.

A set that was divided by its owner stays as it is; only a part that it lacks is drawn from its training images.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from training.dataset import Example
from training.errors import DatasetError
from training.sources.listing import Part

NEED = (Part.TRAIN, Part.TEST, Part.VALIDATION)  # what a class with few images needs most, first


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
    validation: tuple[Example, ...]  # may lack classes, or be empty, where a class has two images
    test: tuple[Example, ...]
    moved: Mapping[Part, int] = field(default_factory=dict)  # how many images a part got because a class had none in it

    @property
    def digest(self) -> str:
        """SHA-256 over which picture went where under which label: two runs with equal ones saw the same data."""
        parts = {Part.TRAIN: self.train, Part.VALIDATION: self.validation, Part.TEST: self.test}
        lines = sorted(f"{e.pixels} {part} {e.label}" for part, examples in parts.items() for e in examples)
        return sha256("\n".join(lines).encode()).hexdigest()


def part_of(pixels: str, percentages: Percentages) -> Part:
    """Assign a picture by a percentile drawn from the digest of its pixels.

    The digest is hashed once more: a folder that was itself sampled by a SHA-256, a common way to take a subset, would
    otherwise fall into one part.
    """
    percentile = int.from_bytes(sha256(f"split {pixels}".encode()).digest()[:8]) / 2**64 * 100
    if percentile < percentages.testing:
        return Part.TEST
    if percentile < percentages.testing + percentages.validation:
        return Part.VALIDATION
    return Part.TRAIN


def split(examples: Iterable[Example], percentages: Percentages) -> Split:
    """Divide the examples; raises DatasetError naming the classes that have too few images for it.

    Where content leaves a class without an image for some part, that part gets the picture with the lowest digest of the
    class's largest part: two images are one to learn and one to test, three have one for each part.
    """
    examples = tuple(examples)
    drawn = _draw(examples, percentages)
    _refuse_too_few(drawn)
    lacking = _lacking(examples)
    moved = Counter[Part]()
    for parts in drawn.values():
        if _is_divided(parts):  # what the user made stays
            moved.update(_fill(parts, [part for part in NEED if part in lacking], (Part.TRAIN,)))
        else:
            moved.update(_fill(parts, NEED, NEED))
    place = {example: part for parts in drawn.values() for part, some in parts.items() for example in some}
    train, validation, test = (tuple(e for e in examples if place[e] is part) for part in Part)
    return Split(train, validation, test, dict(moved))


_Parts = Mapping[Part, list[Example]]  # of one class


def _draw(examples: Sequence[Example], percentages: Percentages) -> dict[str, _Parts]:
    """Each class's images, by part: the part that the user gave, else the one that content decides."""
    lacking = _lacking(examples)
    drawn: defaultdict[str, _Parts] = defaultdict(lambda: {part: [] for part in Part})
    for example in examples:
        part = part_of(example.pixels, percentages)
        if example.part is not None and not (example.part is Part.TRAIN and part in lacking):
            part = example.part
        drawn[example.label][part].append(example)
    return dict(drawn)


def _lacking(examples: Iterable[Example]) -> set[Part]:
    return set(Part) - {example.part for example in examples}


def _is_divided(parts: _Parts) -> bool:
    return any(example.part for some in parts.values() for example in some)


def _refuse_too_few(drawn: Mapping[str, _Parts]) -> None:
    if len(drawn) < 2:
        raise DatasetError(f"only one class ({', '.join(drawn) or 'none'}) has images; a classifier needs at least two")
    why = []
    for label, parts in sorted(drawn.items()):
        if sum(map(len, parts.values())) < 2 and not _is_divided(parts):
            why.append(f"{label!r} has 1 image, and needs one to learn and one to test: add images to the class")
        elif _is_divided(parts) and not parts[Part.TRAIN]:
            why.append(f"{label!r} has no image for training: add images to the class in that part")
    if not any(parts[Part.TEST] for parts in drawn.values()) and any(map(_is_divided, drawn.values())):
        why.append("no class has an image for testing: name fewer images as the training part")
    if why:
        raise DatasetError("; ".join(why))


def _fill(parts: _Parts, needy: Iterable[Part], donors: Sequence[Part]) -> list[Part]:
    """Give each needy part an image of a class, as far as they go; return the parts that got one.

    A part that needs its images more gives none away but its second.
    """
    filled = []
    for part in needy:
        spare = [donor for donor in donors if len(parts[donor]) > (NEED.index(donor) < NEED.index(part))]
        if parts[part] or not spare:
            continue
        donor = max(spare, key=lambda donor: len(parts[donor]))
        lowest = min(parts[donor], key=lambda example: example.pixels)
        parts[donor].remove(lowest)
        parts[part].append(lowest)
        filled.append(part)
    return filled
