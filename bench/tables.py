"""Figures as text: numbers with the digits that they deserve, and one table in Markdown for all of them."""

from collections.abc import Mapping
from typing import Any

from bench.section import Comparison


def table(corner: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Columns are those that any row has, in the order of appearance; words stand to the left, figures to the right."""
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    words = {column for column in columns if all(isinstance(row.get(column), str) for row in rows.values())}
    lines = [
        [corner, *columns],
        ["---", *("---" if column in words else "---:" for column in columns)],
        *([title, *(cell(row.get(column)) for column in columns)] for title, row in rows.items()),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: Any) -> str:
    """A figure as it is kept: a number, a spread, percentiles, a difference, a share, words, or nothing."""
    match value:
        case None:
            return "–"
        case str():
            return value
        case {"median": middle, "low": low, "high": high}:
            return f"**{figure(middle)}** ({figure(low)} – {figure(high)})"
        case {"p50": p50, "p95": p95}:
            return f"{figure(p50)} / {figure(p95)}"
        case {"mean": mean, "low": low, "high": high}:
            return f"{mean * 100:+.1f} ({low * 100:+.1f} … {high * 100:+.1f})"
        case {"share": share}:
            return f"{share:.1%}"
        case _:
            return figure(value)


def figure(value: float) -> str:
    """Three digits, since the last one moves from run to run; whole numbers as they are."""
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 100 else f"{value:.3g}"


def ratio(more: float, less: float) -> str:
    return f"{figure(more / less)} ×"


def versus(compared: Comparison) -> str:
    ours, theirs = figure(compared.ours), figure(compared.theirs)
    return f"{ratio(compared.theirs, compared.ours)} ({ours} {compared.unit} against {theirs} {compared.unit})"
