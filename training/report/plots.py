"""Values → drawings: SVG text to stand inside a page, in the page's own colours and type.

matplotlib draws in colours that stand for names, and the names become classes, so that the page's style sheet decides what
they look like on light and dark ground. No text of a user's is drawn: labels stand in tables.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from training.report.content import Calibration, Curve, Unfamiliar

SIZE = (5.0, 3.5)  # inches of 72 units; a phone shows them at three quarters
SVG = "http://www.w3.org/2000/svg"
XLINK = "{http://www.w3.org/1999/xlink}href"
TONES = {name: f"#0f000{number}" for number, name in enumerate(("ink", "soft", "line", "leaf", "fault", "rest"))}
NAMES = {colour: name for name, colour in TONES.items()}
STYLE: Any = {  # matplotlib's settings, whose names its types spell out one by one
    "svg.fonttype": "none",  # text stays text: the page's font, and a person can search it
    "svg.hashsalt": "report",  # the same values give the same file
    "font.size": 12,
    "text.color": TONES["soft"],
    "axes.edgecolor": TONES["line"],
    "axes.labelcolor": TONES["soft"],
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.unicode_minus": False,
    "grid.color": TONES["line"],
    "grid.linewidth": 0.8,
    "xtick.color": TONES["line"],
    "ytick.color": TONES["line"],
    "xtick.labelcolor": TONES["soft"],
    "ytick.labelcolor": TONES["soft"],
    "ytick.major.size": 0,
    "lines.linewidth": 2,
    "legend.frameon": False,
}


def curve_plot(curve: Curve) -> str:
    """Accuracy by number of training images, and where it leads."""
    sizes, accuracies = np.array(curve.points).T
    with _figure("curve") as (axes, done):
        axes.plot(sizes, 100 * accuracies, "o-", color=TONES["leaf"], markersize=5)
        ends = [*curve.points, *([curve.forecast] if curve.forecast else [])]
        if curve.forecast:
            (last, reached), (double, expected) = ends[-2:]
            axes.plot(
                [last, double],
                [100 * reached, 100 * expected],
                "o--",
                color=TONES["soft"],
                markersize=5,
                markerfacecolor="none",
            )
            _note(axes, f"{100 * expected:.1f} %?", (double, 100 * expected), (0, 9), "soft")
        _note(axes, f"{100 * accuracies[-1]:.1f} %", (sizes[-1], 100 * accuracies[-1]), (0, -19), "leaf")
        axes.set_xscale("log", base=2)
        ticks = [size for size, _ in ends]
        axes.set_xticks(ticks, [f"{int(size):,}" for size in ticks])
        axes.minorticks_off()
        low, high = 100 * min(value for _, value in ends), 100 * max(value for _, value in ends)
        axes.set_ylim(max(low - 0.15 * (high - low) - 2, 0), min(high + 0.15 * (high - low) + 2, 103))
        axes.margins(x=0.09)
        axes.set_xlabel("images to learn from")
        _in_percent(axes.yaxis)
    return done[0]


def calibration_plot(calibration: Calibration) -> str:
    """How often the answers of each score are right."""
    with _figure("calibration", (5.0, 4.4)) as (axes, done):
        axes.plot([0, 100], [0, 100], "--", color=TONES["rest"], linewidth=1.2)
        for found in calibration.bins:
            x, y = 100 * found.confidence, 100 * found.right.value
            low, high = (100 * end for end in found.right.interval)
            axes.plot([x, x], [low, high], color=TONES["leaf"], linewidth=1.5, alpha=0.45, solid_capstyle="round")
            axes.plot([x], [y], "o", color=TONES["leaf"], markersize=6)
        axes.set_xlim(0, 103)
        axes.set_ylim(0, 103)
        axes.set_xlabel("score of the answer")
        axes.set_ylabel("answers that are right")
        _in_percent(axes.xaxis, axes.yaxis)
    return done[0]


def distance_plot(found: Unfamiliar) -> str:
    """How many images lie how far from what was taught."""
    everything = [found.known, *([found.others] if found.others is not None else [])]
    values = np.concatenate([*everything, [found.threshold]])
    edges = np.linspace(values.min(), values.max(), 41)
    with _figure("distances") as (axes, done):
        for distances, tone in zip(everything, ("leaf", "fault"), strict=False):
            shares = np.histogram(distances, edges)[0] / len(distances)
            axes.stairs(100 * shares, edges, fill=True, color=TONES[tone], alpha=0.3)
            axes.stairs(100 * shares, edges, color=TONES[tone], linewidth=1.5)
        axes.axvline(found.threshold, color=TONES["ink"], linewidth=1.5)
        axes.set_ylim(0, axes.get_ylim()[1] * 1.12)
        right = found.threshold > (edges[0] + edges[-1]) / 2
        axes.annotate(
            "unknown beyond",
            (found.threshold, 1),
            (-6 if right else 6, -10),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="right" if right else "left",
            color=TONES["ink"],
        )
        axes.set_xlabel("distance from what was taught, 0 – 1")
        axes.set_ylabel("share of the images")
        _in_percent(axes.yaxis)
    return done[0]


def unknown_plot(found: Unfamiliar) -> str:
    """For every threshold of the distance: the unknown pictures it finds, and the known ones it refuses wrongly."""
    assert found.others is not None
    thresholds = np.sort(np.concatenate([found.known, found.others]))[::-1]
    false, true = (
        1 - np.searchsorted(np.sort(values), thresholds) / len(values) for values in (found.known, found.others)
    )
    at = [100 * float((values > found.threshold).mean()) for values in (found.known, found.others)]
    with _figure("unknown", (5.0, 4.4)) as (axes, done):
        axes.plot([0, 100], [0, 100], "--", color=TONES["rest"], linewidth=1.2)
        axes.plot(100 * np.concatenate([[0], false]), 100 * np.concatenate([[0], true]), color=TONES["leaf"])
        axes.plot(at[:1], at[1:], "o", color=TONES["ink"], markersize=7)
        _note(axes, "the threshold", (at[0], at[1]), (12, -16), "ink", ha="left")
        axes.set_xlim(-1, 101)
        axes.set_ylim(0, 103)
        axes.set_xlabel("known images refused wrongly")
        axes.set_ylabel("unknown pictures found")
        _in_percent(axes.xaxis, axes.yaxis)
    return done[0]


def _in_percent(*scales: Any) -> None:
    for scale in scales:
        scale.set_major_formatter(lambda value, _: f"{value:g} %")


def _note(
    axes: Any, text: str, at: tuple[float, float], offset: tuple[int, int], tone: str, ha: str = "center"
) -> None:
    axes.annotate(text, at, offset, textcoords="offset points", ha=ha, color=TONES[tone], fontweight="bold")


@contextmanager
def _figure(name: str, size: tuple[float, float] = SIZE) -> Iterator[tuple[Any, list[str]]]:
    """Give axes to draw on; afterwards the list holds the SVG."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    done: list[str] = []
    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        yield axes, done
        file = BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    done.append(themed(file.getvalue(), name))


def themed(svg: bytes, name: str) -> str:
    """Make matplotlib's file a part of a page: no style of its own, colours by class, identifiers that are only this drawing's."""
    ET.register_namespace("", SVG)
    root = ET.fromstring(svg)  # noqa: S314 - matplotlib wrote it a moment ago
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{SVG}}}metadata", f"{{{SVG}}}style"}:
                parent.remove(child)
    for element in root.iter():
        _restyle(element)
        _rename(element, name)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("class", "plot")
    root.set("aria-hidden", "true")  # the caption beside it says what it shows
    return ET.tostring(root, encoding="unicode")


def _restyle(element: ET.Element) -> None:
    """Turn a style attribute, which the page's policy forbids, into attributes and classes."""
    classes = []
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key in {"fill", "stroke"} and value in NAMES:
            classes.append(f"{key}-{NAMES[value]}")
        elif key == "font":
            classes += ["strong"] if value.startswith(("bold", "700")) else []
        elif key:
            element.set(key, value)
    if classes:
        element.set("class", " ".join(classes))


def _rename(element: ET.Element, name: str) -> None:
    identifier = element.attrib.pop("id", None)
    if identifier and element.tag != f"{{{SVG}}}g":
        element.set("id", f"{name}-{identifier}")
    if XLINK in element.attrib:
        element.set("href", f"#{name}-{element.attrib.pop(XLINK)[1:]}")
    if "clip-path" in element.attrib:
        element.set("clip-path", re.sub(r"#", f"#{name}-", element.attrib["clip-path"]))
