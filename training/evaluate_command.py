"""`python -m training evaluate` and `compare`: how good a model is on a folder of labelled images, and which of two is better."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from model.classifier import Classifier, load_classifier
from model.machine import granted_cpus
from model.stores.uri import ModelURI
from training.console import Console, changes_table, evaluation_page
from training.options import ENGINE, FOLDER, LABELS_FROM, MODEL, Repeatable, command_line, limit_options, limits_of
from training.run import Run
from training.sources.listing import CACHE, LabelsFrom

if TYPE_CHECKING:
    from training.dataset import Dataset

REMINDER = "worth something only where the model has seen none of these images in its training"
JSON = click.option("--json", "as_json", is_flag=True, help="All figures, for programs.")


@click.command("evaluate", cls=Repeatable, short_help="Measure a model on labelled images.", epilog=MODEL)
@click.argument("model")
@click.argument("images", metavar="IMAGE_DIR")
@ENGINE
@JSON
@click.option(
    "--unknown-dir", type=FOLDER, help="Images that are none of the labels: how many of them are called unknown."
)
@click.option("--report", type=FOLDER, help="A folder to write report.html into.")
@click.option(
    "--assert-accuracy-at-least",
    "least",
    type=click.FloatRange(0, 1),
    help="Exit with 1 unless the accuracy is that with 95 % confidence: the lower end of its interval counts.",
)
@LABELS_FROM
@limit_options
def evaluate_command(
    model: str,
    images: str,
    engine: str,
    unknown_dir: Path | None,
    report: Path | None,
    least: float | None,
    labels_from: LabelsFrom,
    *,
    as_json: bool,
    **limits: int,
) -> None:
    """Measure a MODEL on labelled images that it was not trained on."""
    from training.answers import answer, distances_of_others
    from training.evaluation import decisions, metrics, unknown
    from training.report.folder import report_evaluation
    from training.report.gather import Others, Place

    run = Run(Console(), limits_of(**limits))
    if unknown_dir and not unknown_dir.is_dir():
        raise click.UsageError(
            f"--unknown-dir {unknown_dir} is no folder: name one of images that are none of the labels"
        )
    if report:
        report.mkdir(parents=True, exist_ok=True)  # a fault of this place is told before the work
    classifier = _load(model, engine)
    dataset, others = labelled_images(images, run, labels_from), None
    answers = answer(classifier, dataset, run)
    thresholds = classifier.manifest.thresholds
    found: dict[str, Any] = metrics(answers.scores, answers.classes, answers.labels)
    if thresholds:
        found["decisions"] = decisions(answers.scores, answers.distances, answers.classes, thresholds)
    if unknown_dir:
        others = distances_of_others(classifier, unknown_dir, run)
        assert answers.distances is not None  # one engine gave both
        found["unknown"] = unknown(answers.distances, others, thresholds)
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(f"{model} ({classifier.engine.name}): {evaluation_page(found, REMINDER)}")
    if report:
        place = Place(ModelURI.parse(model).store_uri, classifier.version, command_line())
        strangers = Others(others, unknown_dir) if unknown_dir and others is not None else None
        page = report_evaluation(classifier, dataset, answers, place, report, run, strangers)
        click.echo(f"report      {page}", err=as_json)  # what reads JSON reads nothing else
    if least is not None and found["accuracy_interval"][0] < least:
        low = found["accuracy_interval"][0]
        raise click.ClickException(
            f"the accuracy is at least {low:.1%} with 95 % confidence, by {found['n']:,} images; {least:.1%} is asked: "
            "a better model, or more images to show it by"
        )


@click.command("compare", short_help="Tell which of two models is better.", epilog=MODEL)
@click.argument("first")
@click.argument("second")
@click.argument("images", metavar="IMAGE_DIR")
@ENGINE
@JSON
@LABELS_FROM
@limit_options
def compare_command(
    first: str, second: str, images: str, engine: str, labels_from: LabelsFrom, *, as_json: bool, **limits: int
) -> None:
    """Tell which of two MODELs is better on labelled images, and on which images they differ."""
    from training.answers import answer
    from training.comparison import compare_answers, sentence

    run = Run(Console(), limits_of(**limits))
    dataset = labelled_images(images, run, labels_from)
    found = compare_answers(*(answer(_load(model, engine), dataset, run) for model in (first, second)))
    if as_json:
        click.echo(json.dumps(found.described(dataset.root)))
    else:
        click.echo(f"{second} against {first}: {sentence(found)}; {REMINDER}")
        click.echo(changes_table(found, dataset.root))


def _load(model: str, engine: str) -> Classifier:
    return load_classifier(model, engine, granted_cpus(), CACHE / "models")


def labelled_images(images: str, run: Run, labels_from: LabelsFrom = LabelsFrom.TOP) -> "Dataset":
    """Read the images that a model is measured by; those that are set aside are named."""
    from training.dataset import scan
    from training.problems import Severity

    dataset = scan(images, run, labels_from=labels_from)
    for problem in dataset.problems_of(Severity.ERROR):
        click.echo(f"set aside: {problem.path}: {problem.detail}", err=True)
    return dataset
