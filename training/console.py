"""What the command line shows: bars and tables, as text from plain values."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from training.dataset import Dataset
from training.problems import Problem, Severity, counted
from training.sources.listing import shown

if TYPE_CHECKING:
    from training.comparison import Comparison

T = TypeVar("T")

WIDTH = 22  # characters of a bar's title
MOST_ROWS = 100  # of one kind of problem on the screen


class Console:
    """Progress on standard error: bars on a terminal, one line each elsewhere."""

    def step(self, sentence: str) -> None:
        click.echo(f"{sentence} …", err=True)

    def items(self, title: str, items: Iterable[T], total: int) -> Iterator[T]:
        with click.progressbar(items, total, title.ljust(WIDTH), show_pos=True, file=sys.stderr) as bar:
            yield from bar

    @contextmanager
    def bytes(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        with click.progressbar(length=total, label=title.ljust(WIDTH), file=sys.stderr) as bar:
            yield bar.update


@contextmanager
def suppress_stderr() -> Iterator[None]:
    """Silence what native code writes to standard error: TensorFlow does on import, at any log level."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Align columns; numbers to the right."""
    columns = list(zip(header, *rows, strict=True))
    widths = [max(len(str(cell)) for cell in column) for column in columns]
    right = [any(isinstance(cell, int) for cell in column) for column in columns]

    def line(cells: Iterable[object]) -> str:
        aligned = zip(map(str, cells), widths, right, strict=True)
        return "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in aligned
        ).rstrip()

    return "\n".join(line(cells) for cells in zip(*columns, strict=True))


def check_table(dataset: Dataset) -> str:
    """How the labels were understood, a line for each problem, then how many images each label has."""
    order = list(Severity)
    problems = sorted(dataset.problems, key=lambda problem: (order.index(problem.severity), problem.kind, problem.path))
    counts = Counter(example.label for example in dataset.examples)
    parts = [f"layout  {dataset.layout}"]
    if problems:
        parts.append(table(["severity", "problem", "where", "what"], _rows(problems)))
    parts.append(table(["label", "images"], sorted(counts.items())))
    found = ", ".join(counted(len(dataset.problems_of(severity)), severity) for severity in order)
    images = f"{counted(len(dataset.examples), 'image')} of {counted(len(counts), 'label')}"
    return "\n\n".join([*parts, f"{images}; {found}"])


def _rows(problems: Sequence[Problem]) -> Iterator[tuple[str, str, str, str]]:
    """A row for each problem, but of one kind no more than can be read; the report holds all."""
    totals = Counter((problem.severity, problem.kind) for problem in problems)
    seen = Counter[tuple[Severity, str]]()
    for problem in problems:
        kind = (problem.severity, problem.kind)
        seen[kind] += 1
        if seen[kind] <= MOST_ROWS:
            yield problem.severity, problem.kind, problem.path, problem.detail
        elif seen[kind] == totals[kind]:
            yield problem.severity, problem.kind, "…", f"and {totals[kind] - MOST_ROWS:,} more: see the JSON"


def check_report(dataset: Dataset) -> str:
    """The same as JSON, for programs."""
    found = {
        "image_dir": str(dataset.root),
        "layout": dataset.layout,
        "images": dict(sorted(Counter(example.label for example in dataset.examples).items())),
        "problems": [asdict(problem) for problem in dataset.problems],
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def evaluation_page(found: Mapping[str, Any], reminder: str) -> str:
    """The accuracy in a sentence, then a row for each label, and what thresholds make of the answers."""
    from training.evaluation import sentence

    header = ["label", "images", "precision", "recall", "F1"]
    rows = [
        (
            label,
            one["n"],
            *(_share(one[name], "never named" if name == "precision" else "no images") for name in header[2:4]),
            _share(one["f1"]),
        )
        for label, one in found["per_class"].items()
    ]
    loss, between = found["log_loss"], found["log_loss_interval"]
    within = f" (95 % interval {between[0]:.3f} – {between[1]:.3f})" if between else ""
    calibrated = found["calibration"]
    floor, most = calibrated["floor"], calibrated["floor_95"]
    chance = f"{floor:.3f} on as many images" + (f", up to {most:.3f} by chance" if most > floor else "")
    lines = [
        f"{sentence(dict(found))}; {reminder}",
        "",
        table(header, rows),
        "",
        f"log-loss    {loss:.3f}{within}",
        f"calibration {calibrated['ece']:.3f} off; a perfect model shows {chance}",
        *(f"top {k}       {_share(one)}" for k, one in found["top_k"].items()),
    ]
    if decided := found.get("decisions"):
        right = f", of these right {_share(decided['precision'])}" if decided["precision"] else ""
        unknown = _share(decided["false_alarms"])
        lines.append(f"accepted    {_share(decided['accepted'])} of the answers{right}; called unknown {unknown}")
    if others := found.get("unknown"):
        lines.append(
            f"unknown     {_share(others['found'], 'no threshold')} of {others['n']:,} other images are called so; AUROC {others['auroc']:.3f}"
        )
    return "\n".join(lines)


def _share(found: Mapping[str, Any] | None, none: str = "–") -> str:
    if found is None:
        return none
    low, high = found["interval"]
    return f"{found['value']:.1%} ({low:.1%} – {high:.1%})"


def changes_table(found: "Comparison", root: Path) -> str:
    """The images on which two models differ, regressions first."""
    rows = [
        (kind, shown(root, change.path), change.label, change.before, change.after)
        for kind, changes in (("regressed", found.regressed), ("improved", found.improved))
        for change in changes[:MOST_ROWS]
    ]
    more = sum(max(len(changes) - MOST_ROWS, 0) for changes in (found.regressed, found.improved))
    rest = f"\n… and {more:,} more: --json lists them all" if more else ""
    return (
        table(["", "image", "label", "before", "after"], rows) + rest if rows else "Both name the same images rightly."
    )
