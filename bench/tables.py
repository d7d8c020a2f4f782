"""Figures as text: numbers with the digits that they deserve, and tables in Markdown."""

from collections.abc import Iterable, Sequence
from typing import Any


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, figures: bool = True) -> str:
    """The first column is words; the others are figures, unless it is said that they are words too."""
    lines = [header, ["---"] + ["---:" if figures else "---"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figure(value: float) -> str:
    """Three digits, since the last one moves from run to run; whole numbers as they are."""
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 100 else f"{value:.3g}"


def spread(found: dict[str, Any], unit: str = "") -> str:
    """The median, and from where to where."""
    return f"**{figure(found['median'])}**{unit} ({figure(found['low'])} – {figure(found['high'])})"


def difference(found: dict[str, Any]) -> str:
    """In percentage points, with the 95 % interval."""
    return f"{found['mean'] * 100:+.1f} ({found['low'] * 100:+.1f} … {found['high'] * 100:+.1f})"


def ratio(more: float, less: float) -> str:
    return f"{figure(more / less)} ×"


def section(title: str, *parts: str) -> str:
    return "\n\n".join([f"### {title}", *(part for part in parts if part)])
