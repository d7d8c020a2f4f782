"""Figures as text: numbers with the digits that they deserve, and tables in Markdown."""

from collections.abc import Iterable, Sequence
from typing import Any


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is words, the others are figures."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def figure(value: float) -> str:
    """Three digits, since the last one moves from run to run; whole numbers as they are."""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f}" if abs(value) >= 0.01 or not value else f"{value:.2g}"


def spread(found: dict[str, Any], unit: str = "") -> str:
    """The median, and from where to where."""
    return f"**{figure(found['median'])}**{unit} ({figure(found['low'])} – {figure(found['high'])})"


def difference(found: dict[str, Any]) -> str:
    """In percentage points, with the 95 % interval."""
    return f"{found['mean'] * 100:+.1f} ({found['low'] * 100:+.1f} … {found['high'] * 100:+.1f})"


def ratio(more: float, less: float) -> str:
    return f"{figure(more / less)} ×"


def section(title: str, *parts: str) -> str:
    return "\n\n".join([f"### {title}", *(part.strip() for part in parts if part)]) + "\n"
