"""`python -m training check`: what is wrong with the images, as a table and as JSON, before anything is learned."""

import sys
from pathlib import Path

import click

from training.console import Console, check_report, check_table
from training.errors import DatasetError
from training.options import FILE, LABELS_FROM, limit_options, limits_of
from training.run import Run
from training.sources.listing import LabelsFrom

REPORT = Path("check.json")


@click.command("check", short_help="Say what is wrong with labelled images.")
@click.argument("images", metavar="IMAGE_DIR")
@click.option("--report", type=FILE, help="Where the findings go as JSON.  [default: check.json]")
@LABELS_FROM
@limit_options
def check_command(images: str, report: Path | None, labels_from: LabelsFrom, **limits: int) -> None:
    """Decode every image and say what is wrong; exit status 1 where there is an error."""
    from training.dataset import scan
    from training.problems import Severity
    from training.split import Percentages, split

    dataset = scan(images, Run(Console(), limits_of(**limits)), labels_from=labels_from)
    click.echo(check_table(dataset))
    failed = bool(dataset.problems_of(Severity.ERROR))
    try:
        split(dataset.examples, Percentages())
    except DatasetError as error:  # what would stop a training
        click.echo(f"Error: {error}", err=True)
        failed = True
    path = report or REPORT
    try:
        path.write_text(check_report(dataset), encoding="utf-8", errors="backslashreplace")
        click.echo(f"All of it as JSON: {path}")
    except OSError as error:
        click.echo(f"{path} cannot be written ({error.strerror}); --report names another place", err=True)
        failed = failed or report is not None
    sys.exit(failed)
