"""The three figures that matter most, as bars: an SVG that README shows. It reads on light and on dark pages."""

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from bench.images import SMALL
from bench.tables import figure

SHOWN = ("ours", "onnx", "tensorflow", "keras")
PANEL, BAR, GAP, TOP = 250, 18, 30, 46  # px
OURS, THEIRS = "#1a7f5a", "#8a929c"


def picture(results: dict[str, Any]) -> str:
    """Draw what is there of cold start, warm answer and memory."""
    panels = []
    if "cold" in results:
        starts = results["cold"]["found"]["starts"]
        panels.append(("Cold start: first answer, s", {name: starts[name]["total"]["median"] for name in SHOWN}))
    if "warm" in results:
        answers = results["warm"]["found"]["answers"]
        panels.append(("Warm answer, p50, ms", {name: answers[name]["kinds"][SMALL]["total"]["p50"] for name in SHOWN}))
    if "memory" in results:
        peaks = results["memory"]["found"]["peak_mb"]
        panels.append(("Peak memory, MB", {name: max(peaks[name].values()) for name in SHOWN}))
    return _svg(panels)


def _svg(panels: Sequence[tuple[str, dict[str, float]]]) -> str:
    names = {
        "ours": "this project",
        "onnx": "ONNX Runtime",
        "tensorflow": "TensorFlow handler",
        "keras": "Keras behind Flask",
    }
    margin, height = 150, TOP + GAP * len(SHOWN)
    width = margin + PANEL * len(panels)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13">',
        "<style>text { fill: #24292f } @media (prefers-color-scheme: dark) { text { fill: #d0d7de } }</style>",
        *(_text(0, _y(row) + 14, names[name]) for row, name in enumerate(SHOWN)),
    ]
    for column, (title, values) in enumerate(panels):
        left = margin + PANEL * column
        lines.append(_text(left, 20, title, bold=True))
        scale = (PANEL - 80) / max(values.values())
        for row, name in enumerate(SHOWN):
            length = max(values[name] * scale, 2)
            colour = OURS if name == "ours" else THEIRS
            lines.append(f'<rect x="{left}" y="{_y(row)}" width="{length:.0f}" height="{BAR}" rx="3" fill="{colour}"/>')
            lines.append(_text(left + round(length) + 6, _y(row) + 14, figure(values[name])))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _y(row: int) -> int:
    return TOP - 12 + GAP * row


def _text(x: int, y: int, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x}" y="{y}"{weight}>{escape(text)}</text>'
