"""Train / validation / test by content: a picture's own pixels decide, so no rename, move, addition or edited metadata reshuffles it.

A set that was divided by its owner stays as it is; only a part that it lacks is drawn from its training images.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType

from training.dataset import Example
from training.errors import DatasetError
from training.problems import listed
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


ALONE: Mapping[str, str] = MappingProxyType({})  # every picture is its own group


def split(examples: Iterable[Example], percentages: Percentages, groups: Mapping[str, str] = ALONE) -> Split:
    """Divide the examples; raises DatasetError naming the classes that have too few images for it.

    A group stays whole: its lowest digest decides (`groups` is that of training/groups.py: a picture's pixels → that digest). Where
    content leaves a class without an image for some part, that part gets the group with the lowest digest of the class's
    largest part: two images are one to learn and one to test, three have one for each part.
    """
    examples = tuple(examples)
    drawn = _draw(examples, percentages, groups)
    lacking = _lacking(examples)
    moved = Counter[Part]()
    for parts in filter(
        _is_divided, drawn.values()
    ):  # a class keeps one of its training images, wherever content draws them
        moved.update(_fill(parts, [Part.TRAIN], [part for part in NEED if part in lacking]))
    _refuse_too_few(drawn)
    for parts in drawn.values():
        if _is_divided(parts):  # what the user made stays
            moved.update(_fill(parts, [part for part in NEED if part in lacking], (Part.TRAIN,)))
        else:
            moved.update(_fill(parts, NEED, NEED))
    _refuse_untaught(drawn)
    _refuse_untested(drawn)
    place = {
        e: part for parts in drawn.values() for part, units in parts.items() for unit in units for e in unit.examples
    }
    train, validation, test = (tuple(e for e in examples if place[e] is part) for part in Part)
    return Split(train, validation, test, dict(moved))


@dataclass(frozen=True)
class _Unit:
    """Images of one class and group that are in the same part."""

    group: str
    examples: tuple[Example, ...]
    mixed: bool  # the group has images of other classes, which would have to move with these


_Parts = Mapping[Part, list[_Unit]]  # of one class


def _draw(examples: Sequence[Example], percentages: Percentages, groups: Mapping[str, str]) -> dict[str, _Parts]:
    """Each class's images, by part: the part that the user gave, else the one that their group's content decides."""
    lacking = _lacking(examples)
    members: defaultdict[tuple[str, Part, str], list[Example]] = defaultdict(list)
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for example in examples:
        group = groups.get(example.pixels, example.pixels)
        part = part_of(group, percentages)
        if example.part is not None and not (example.part is Part.TRAIN and part in lacking):
            part = example.part
        members[example.label, part, group].append(example)
        labels[group].add(example.label)
    drawn: defaultdict[str, _Parts] = defaultdict(lambda: {part: [] for part in Part})
    for (label, part, group), some in members.items():
        drawn[label][part].append(_Unit(group, tuple(some), len(labels[group]) > 1))
    return dict(drawn)


def _lacking(examples: Iterable[Example]) -> set[Part]:
    return set(Part) - {example.part for example in examples}


def _images(parts: _Parts) -> list[Example]:
    return [example for units in parts.values() for unit in units for example in unit.examples]


def _is_divided(parts: _Parts) -> bool:
    return any(example.part for example in _images(parts))


def _refuse_too_few(drawn: Mapping[str, _Parts]) -> None:
    if len(drawn) < 2:
        raise DatasetError(
            f"only one class ({', '.join(drawn) or 'none'}) has images; a classifier needs at least two: add images of another label"
        )
    few = [
        label for label, parts in sorted(drawn.items()) if not _is_divided(parts) and sum(map(len, parts.values())) < 2
    ]
    untaught = [label for label, parts in sorted(drawn.items()) if _is_divided(parts) and not parts[Part.TRAIN]]
    why = []
    if few:
        grouped = any(len(_images(drawn[label])) > 1 for label in few)
        remedy = "add images to the class" + (", or group by less" if grouped else "")
        have = listed((_has(label, drawn[label]) for label in few), "class")
        why.append(f"{have}, and a class needs one to learn and one to test: {remedy}")
    if untaught:
        why.append(f"no image for training: {listed(map(repr, untaught), 'class')}; add images of each to that part")
    if why:
        raise DatasetError("; ".join(why))


def _has(label: str, parts: _Parts) -> str:
    count = len(_images(parts))
    return f"{label!r} has " + (
        "1 picture" if count == 1 else f"{count:,} images of one group (nearly the same, or by --group-by)"
    )


def _refuse_untaught(drawn: Mapping[str, _Parts]) -> None:
    """Raise DatasetError where groups that hold several classes leave one of these without a training image."""
    if untaught := sorted(label for label, parts in drawn.items() if not parts[Part.TRAIN]):
        raise DatasetError(
            f"{listed(map(repr, untaught), 'class')}: all images are in groups that also hold other labels and are not for training; "
            "add images of their own, or group by less"
        )


def _refuse_untested(drawn: Mapping[str, _Parts]) -> None:
    if any(map(_is_divided, drawn.values())) and not any(parts[Part.TEST] for parts in drawn.values()):
        raise DatasetError("no class has an image for testing: name fewer images as the training part")


def _fill(parts: _Parts, needy: Iterable[Part], donors: Sequence[Part]) -> list[Part]:
    """Give each needy part a group of a class, as far as they go; return, for each image, the part that got it.

    A part that needs its images more gives none away but its second group; groups that hold other classes too stay.
    """
    filled: list[Part] = []
    for part in needy:
        free = {donor: [unit for unit in parts[donor] if not unit.mixed] for donor in donors}
        spare = [d for d in donors if free[d] and len(parts[d]) > (NEED.index(d) < NEED.index(part))]
        if parts[part] or not spare:
            continue
        donor = max(spare, key=lambda donor: len(parts[donor]))
        lowest = min(free[donor], key=lambda unit: unit.group)
        parts[donor].remove(lowest)
        parts[part].append(lowest)
        filled += [part] * len(lowest.examples)
    return filled
