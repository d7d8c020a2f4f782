"""`python -m training predict`: names images, one line each, as text, CSV or JSON lines."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from model.decision import Decision
from model.machine import granted_cpus
from training.console import Console
from training.options import ENGINE, MODEL, limit_options, limits_of
from training.overlay import draw_overlay
from training.prediction import BATCH, Prediction, Wish, find_sources, predict
from training.run import NullProgress, Run
from training.sources.listing import CACHE


@click.command("predict", short_help="Name images by a model.", epilog=MODEL)
@click.argument("model")
@click.argument("images", metavar="IMAGE…", nargs=-1, required=True)
@click.option("--top-k", type=click.IntRange(1), default=1, show_default=True, help="Labels an image.")
@click.option("--min-score", type=click.FloatRange(0, 1), default=0.0, help="Name no label that scores less.")
@click.option("--json", "form", flag_value="json", help="One JSON object a line.")
@click.option("--csv", "form", flag_value="csv", help="A table of image, label and score.")
@click.option(
    "--explain",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a small PNG of each image there that shows where its first label comes from.",
)
@ENGINE
@limit_options
def predict_command(
    model: str,
    images: tuple[str, ...],
    top_k: int,
    min_score: float,
    form: str | None,
    explain: Path | None,
    engine: str,
    **limits: int,
) -> None:
    """Name images by a MODEL. An IMAGE is a file, a folder, a pattern, or - for standard input: an image, or a list of these.

    A file that cannot be read is named, and the exit status is 1.
    """
    from model.classifier import load_classifier

    sources = list(find_sources(images, sys.stdin.buffer))
    classifier = load_classifier(model, engine, granted_cpus(), CACHE / "models")
    run = Run(limits=limits_of(**limits))
    show = {"json": _json, "csv": _csv(decides=classifier.manifest.thresholds is not None), None: _text}[form]
    crowded = sys.stdout.isatty() or len(sources) <= BATCH  # lines and a bar do not go together on one terminal
    progress = NullProgress() if crowded else Console()
    failed = not sources
    predictions = predict(classifier, sources, Wish(top_k, min_score, heat=explain is not None), run)
    for number, found in enumerate(progress.items("images", predictions, len(sources)), start=1):
        if explain and found.heat:
            explain.mkdir(parents=True, exist_ok=True)
            picture = draw_overlay(found.heat.picture, found.heat.map)
            picture.save(explain / f"{number}-{Path(found.source.name).stem}.png")
        if found.problem:
            failed = True
            click.echo(f"{found.source.name}: {found.problem}", err=True)
        else:
            show(found)
    if not sources:
        click.echo("no images there", err=True)
    sys.exit(failed)


def _text(found: Prediction) -> None:
    labels = "  ".join(f"{label.name} {label.score:.1%}" for label in found.labels) or "no label"
    said = {Decision.UNKNOWN: f"nothing it was taught ({labels})", Decision.UNCERTAIN: f"{labels} (uncertain)"}
    click.echo(f"{found.source.name}  {said.get(found.decision, labels) if found.decision else labels}")


def _json(found: Prediction) -> None:
    labels = [{"name": label.name, "score": label.score} for label in found.labels]
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    answer = {"image": found.source.name, "labels": labels} | ({"decision": found.decision} if found.decision else {})
    click.echo(json.dumps(answer, ensure_ascii=not utf8))


def _csv(*, decides: bool) -> Callable[[Prediction], None]:
    """A row a label; the decision is the last column, where the model decides."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    begun = False

    def show(found: Prediction) -> None:
        nonlocal begun
        if not begun:
            writer.writerow(["image", "label", "score"] + ["decision"] * decides)
            begun = True
        rows = [[label.name, label.score] for label in found.labels] or [["", ""]]
        for row in rows:
            writer.writerow([found.source.name, *row, *([found.decision] * decides)])

    return show
