"""What is found wrong with a set of images: plain values, for a table, for JSON, and for what refuses to go on."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MOST_NAMES = 20  # in one sentence


class Severity(StrEnum):
    ERROR = "error"  # something of the user's data is lost or contradictory
    WARNING = "warning"  # training works, perhaps not well
    NOTE = "note"  # handled; worth knowing


@dataclass(frozen=True)
class Problem:
    severity: Severity
    kind: str  # one word for what is wrong; problems of one kind are listed together
    path: str  # relative to the image folder; a label, a table's line, where no file is meant
    detail: str


def counted(count: int, noun: str) -> str:
    """Write a number with its noun: 1 image, 2 images, 3 classes, 4 copies."""
    if count == 1:
        return f"1 {noun}"
    stem, last = noun[:-1], noun[-1]
    plural = f"{stem}ies" if last == "y" and stem[-1] not in "aeiou" else f"{noun}es" if last in "sx" else f"{noun}s"
    return f"{count:,} {plural}"


def listed(names: Iterable[str], noun: str) -> str:
    """Write the first few, and how many more there are: a, b, 3 more classes."""
    names = list(names)
    more = len(names) - MOST_NAMES
    return ", ".join([*names[:MOST_NAMES], *([counted(more, f"more {noun}")] if more > 0 else [])])


def why_unread(error: OSError) -> str:
    """Say of a folder, whose name goes before, why it was not read, and what to do."""
    return f"cannot be read ({error.strerror}); give yourself permission, or move it"
