"""Sentences about labels and shares, as people write them; labels inside them stay labels."""

from collections.abc import Sequence

MOST_NAMES = 4  # labels in one sentence; more are counted


class Label(str):
    """A label inside a sentence: the page sets it apart."""

    __slots__ = ()


Sentence = tuple[str, ...]  # "".join gives its text


def listed(names: Sequence[str]) -> Sentence:
    """Write labels as people do: a, b and c."""
    parts: list[str] = []
    for number, name in enumerate(names):
        if number:
            parts.append(" and " if number == len(names) - 1 else ", ")
        parts.append(Label(name))
    return tuple(parts)


def some(names: Sequence[str]) -> Sentence:
    if len(names) <= MOST_NAMES:
        return listed(names)
    first = [part for name in names[: MOST_NAMES - 1] for part in (Label(name), ", ")]
    return (*first[:-1], f" and {len(names) - MOST_NAMES + 1:,} more labels")


def percent(share: float, digits: int = 0) -> str:
    """Write a share as a percentage; what is not quite all, or not quite nothing, is not rounded to it."""
    least = 10**-digits
    if 0 < 100 * share < least:
        return f"less than {least:g}\u00a0%"
    shown = min(100 * share, 100 - least) if share < 1 else 100.0
    return f"{shown:.{digits}f}\u00a0%"  # they stay on one line
