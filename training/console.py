"""What the command line shows: bars, tables and the closing page, as text from plain values."""

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

from model.stores.aliases import Promotion, promotions_of
from model.stores.base import Store
from model.stores.retention import Pruned
from training.dataset import Dataset
from training.problems import Problem, Severity, counted
from training.sources.listing import shown

if TYPE_CHECKING:
    from model.decision import Thresholds
    from training.comparison import Comparison
    from training.corrections import Corrected
    from training.groups import Groups
    from training.learning import Study
    from training.learning_curve import LearningCurve
    from training.pipeline import Outcome
    from training.split import Split
    from training.suspects import Suspect

T = TypeVar("T")

WIDTH = 22  # characters of a bar's title
MOST_LINES = 10  # of labels or warnings on the closing page
MOST_ROWS = 100  # of one kind of problem on the screen
FEW = 10  # test images of a class; on fewer, its figures are mostly chance


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


def outcome_page(outcome: "Outcome", store: str, *, misclassified: bool) -> str:
    """What was done, where it lies, how good it is, and what to type next."""
    from training.evaluation import sentence

    manifest, parts = outcome.manifest, outcome.split
    set_aside = outcome.dataset.problems_of(Severity.ERROR)
    place = f"{store.rstrip('/')}/{manifest.name}/{outcome.version}"
    images = f"{len(outcome.dataset.examples):,} of {len(manifest.labels)} labels"
    lines = [
        f"images      {images}: {len(parts.train):,} train, {len(parts.validation):,} validation, {len(parts.test):,} test",
        f"layout      {outcome.dataset.layout}",
        *_moved(parts),
        *_corrected(outcome.found.corrected),
        *_grouped(outcome.found.groups),
        f"set aside   {counted(len(set_aside), 'file')}"
        + "".join(f"\n            {p.path}: {p.detail}" for p in set_aside),
        *_remarks(outcome.dataset),
        f"features    {counted(len(outcome.features.values), 'feature')}: {outcome.features.cached:,} from the cache",
        *_fine_tuning(outcome.trained.fine_tuning),
        f"head        softmax, C = {outcome.trained.head.c:g} {_chosen(outcome.study)}; every class weighs the same",
        *(f"accuracy    {sentence(found)}, {engine}" for engine, found in sorted(manifest.metrics.items())),
        *_worth(parts, manifest.labels),
        *_thresholds(outcome.trained.thresholds, manifest.labels),
        *_suspects(outcome.study.suspects),
        *_forecast(outcome.study.curve),
        f"compiled    {_compiled(manifest.parity)}",
        f"seconds     {_seconds(outcome.seconds)}",
        f"published   {place}",
    ]
    if misclassified:
        rows = [(str(m.path), m.label, m.predicted, f"{m.score:.1%}") for m in outcome.misclassified]
        lines += ["", table(["misclassified test image", "label", "named", "score"], rows)]
    lines += ["", "next        " + f"python -m training predict {place.rpartition('/')[0]} IMAGE"]
    return "\n".join(["", *lines])


def _moved(parts: "Split") -> list[str]:
    if not parts.moved:
        return []
    moved = ", ".join(f"{count:,} for {part}" for part, count in parts.moved.items())
    return [f"moved       {moved}: content had left a class without; its lowest digests were taken"]


def _corrected(corrected: "Corrected") -> list[str]:
    if corrected.digest is None:
        return []
    absent = f"; {counted(corrected.absent, 'row')} about pictures that are not there" if corrected.absent else ""
    out = counted(corrected.left_out, "image")
    return [
        f"corrected   {counted(corrected.relabelled, 'label')}; {out} left out; {len(corrected.decided):,} decided{absent}"
    ]


def _grouped(groups: "Groups") -> list[str]:
    """Near-duplicates, and what is wrong with them: the first few."""
    lines = []
    if groups.near_duplicates:
        pictures = sum(map(len, groups.near_duplicates))
        lines.append(
            f"near-dups   {pictures:,} pictures in {counted(len(groups.near_duplicates), 'group')}, each on one side of the split"
        )
    lines += [f"{problem.severity}     {problem.path}: {problem.detail}" for problem in groups.problems[:MOST_LINES]]
    more = len(groups.problems) - MOST_LINES
    return [*lines, *([f"            and {more:,} more"] if more > 0 else [])]


def _chosen(study: "Study") -> str:
    return "by out-of-fold log-loss" if study.judged else "by default: too few images to choose by"


def _thresholds(thresholds: "Thresholds | None", labels: Sequence[str]) -> list[str]:
    if not thresholds:
        return ["decisions   none: too few images to set thresholds by"]
    least = ", ".join(
        f"{label} {'never' if score is None else f'from {score:.2f}'}"
        for label, score in zip(labels[:MOST_LINES], thresholds.labels, strict=False)
    )
    more = f", and {len(labels) - MOST_LINES:,} more labels" if len(labels) > MOST_LINES else ""
    unknown = "" if thresholds.distance is None else f"; unknown beyond a distance of {thresholds.distance:.3f}"
    return [f"decisions   accepted, for {thresholds.precision:.0%} precision: {least}{more}{unknown}"]


def _suspects(suspects: "Sequence[Suspect]") -> list[str]:
    if not suspects:
        return []
    return [
        f"suspects    {counted(len(suspects), 'label')} to look at: decide in suspects.csv, and give it as --corrections"
    ]


def _forecast(curve: "LearningCurve | None") -> list[str]:
    if not curve or not curve.forecast:
        return []
    size, accuracy = curve.points[-1]
    low, high = curve.forecast.interval
    double = f"twice as many would give about {curve.forecast.accuracy:.1%} ({low:.1%} – {high:.1%})"
    return [f"more data   {accuracy:.1%} from {size:,} images, out of fold; {double}"]


def _worth(parts: "Split", labels: Sequence[str]) -> list[str]:
    """Say plainly what figures from few test images are worth."""
    counts = Counter(example.label for example in parts.test)
    few = [label for label in labels if counts[label] < FEW]
    if not few:
        return []
    classes = f"{counted(len(few), 'class')} of {len(labels):,}"
    verb = "has" if len(few) == 1 else "have"
    return [f"mind        {classes} {verb} fewer than {FEW} test images: these figures are mostly chance; add images"]


def _remarks(dataset: Dataset) -> list[str]:
    lesser = [problem for problem in dataset.problems if problem.severity is not Severity.ERROR]
    return [f"remarks     {len(lesser):,}; `python -m training check {dataset.root}` lists them"] if lesser else []


def _fine_tuning(history: dict[str, Any] | None) -> list[str]:
    if history is None:
        return []
    before, after = history["validation_log_loss"]
    verdict = "kept" if history["kept"] else "not kept: it is no better"
    return [f"fine-tuned  {history['steps']} steps; validation log-loss {before:.3f} → {after:.3f}, {verdict}"]


def _compiled(parity: Mapping[str, Any]) -> str:
    if parity["compiled"] is None:
        return "none: no compiled model was faithful enough; the SavedModel itself will serve"
    compiled = parity["compiled"]
    low, high = compiled["agreement_interval"]
    return (
        f"{compiled['precision']}; the same first label as the SavedModel on {compiled['top1_agreement']:.1%} of "
        f"{compiled['images']:,} images (95 % interval {low:.1%} – {high:.1%}), largest difference "
        f"{compiled['largest_difference']:.3f}"
    )


def _seconds(steps: Mapping[str, float]) -> str:
    shown = [f"{step} {taken:.1f}" for step, taken in steps.items() if taken >= 0.1]
    return ", ".join([*shown, f"in all {sum(steps.values()):.1f}"])


def evaluation_page(found: Mapping[str, Any], reminder: str) -> str:
    """The accuracy in a sentence, then a row for each label, and what thresholds make of the answers."""
    from training.evaluation import sentence

    header = ["label", "images", "precision", "recall", "F1"]
    rows = [
        (
            label,
            one["n"],
            *(_share(one[name], "never named" if name == "precision" else "") for name in header[2:4]),
            _share(one["f1"]),
        )
        for label, one in found["per_class"].items()
    ]
    loss, between = found["log_loss"], found["log_loss_interval"]
    within = f" (95 % interval {between[0]:.3f} – {between[1]:.3f})" if between else ""
    calibrated = found["calibration"]
    lines = [
        f"{sentence(dict(found))}; {reminder}",
        "",
        table(header, rows),
        "",
        f"log-loss    {loss:.3f}{within}",
        f"calibration {calibrated['ece']:.3f} off; a perfect model shows {calibrated['floor']:.3f} on as many images",
        *(f"top {k}       {_share(one)}" for k, one in found["top_k"].items()),
    ]
    if decided := found.get("decisions"):
        lines.append(
            f"accepted    {_share(decided['accepted'])} of the answers, of these right {_share(decided['precision'], 'none')}; "
            f"called unknown {_share(decided['false_alarms'])}"
        )
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
    return table(["", "image", "label", "before", "after"], rows) if rows else "They name every image alike."


def model_table(store: Store) -> str:
    """Every version in a store with the figures of the engine that serves by default."""
    rows = []
    for name, versions in store.versions().items():
        pointed = {alias: promotions_of(store, name, alias)[-1].version for alias in store.aliases(name)}
        for number in versions:
            manifest = store.read_manifest(name, number)
            found = manifest.metrics.get("litert") or manifest.metrics["tensorflow"]
            low, high = found["accuracy_interval"]
            compiled = (manifest.parity.get("compiled") or {}).get("precision", "none")
            accuracy = f"{found['accuracy']:.1%} ({low:.1%} – {high:.1%})"
            aliases = ", ".join(alias for alias, version in pointed.items() if version == number)
            rows.append((name, number, manifest.created, len(manifest.labels), accuracy, found["n"], compiled, aliases))
    header = ["name", "version", "created", "labels", "accuracy (95 % interval)", "N", "compiled", "alias"]
    return table(header, rows) if rows else f"{store.uri} holds no model"


def promotions_page(where: str, promotions: Sequence[Promotion]) -> str:
    """Where an alias points now, and where a rollback would lead."""
    before = f"; a rollback leads to version {promotions[-2].version}" if len(promotions) > 1 else ""
    return f"{where} is version {promotions[-1].version}, since {promotions[-1].at}{before}"


def pruned_page(where: str, pruned: Pruned) -> str:
    """What was removed, what is left, and what an alias holds."""
    removed = ", ".join(map(str, pruned.removed)) or "nothing"
    held = "".join(f"; {version} is held by the alias {alias}" for version, alias in pruned.held.items())
    return f"{where}: removed {removed}; left {', '.join(map(str, pruned.kept))}{held}"
