"""`python -m training …`: the command line. It parses, calls, and prints; what it calls knows nothing of it.

Options may be written with hyphens or underscores, so the names of TensorFlow's retrain.py are accepted as they were.
"""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

from model.errors import RecognitionError
from model.machine import granted_cpus
from training.console import Console, check_report, check_table
from training.options import CACHE, ENGINE, FILE, FOLDER
from training.retrain_command import retrain_command
from training.run import Run
from training.store_commands import STORE_COMMANDS


class Commands(click.Group):
    """Turns our errors into one sentence and exit status 1: a traceback is for our mistakes, not the user's."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except RecognitionError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or 'the disk'}: {error.strerror or error}") from error
        except KeyboardInterrupt as interrupt:
            click.echo("\nInterrupted. Every finished feature is kept; the same command goes on from there.", err=True)
            raise click.exceptions.Exit(130) from interrupt


@click.group(
    cls=Commands,
    context_settings={"token_normalize_func": lambda name: name.replace("_", "-"), "max_content_width": 100},
)
def main() -> None:
    """Teach Inception v3 your own labels: a folder of images goes in, a published model comes out.

    \b
    python -m training check photos              what is wrong with the images
    python -m training retrain photos --name flowers --store artifacts
    python -m training predict artifacts/flowers new.jpg

    Put the images at IMAGE_DIR/LABEL/IMAGE. A STORE is a folder or s3://bucket/prefix (AWS_ENDPOINT_URL is honoured); a MODEL
    is STORE/NAME, its newest version, or STORE/NAME/VERSION, or STORE/NAME@ALIAS.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors only
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


for command in (retrain_command, *STORE_COMMANDS):
    main.add_command(command)


@main.command()
@click.argument("images", metavar="IMAGE_DIR", type=FOLDER)
@click.option("--report", type=FILE, default="check.json", show_default=True, help="Where the findings go as JSON.")
def check(images: Path, report: Path) -> None:
    """Decode every image and say what is wrong; exit status 1 where there is an error."""
    from training.dataset import Severity, scan
    from training.split import Percentages, split

    dataset = scan(images, Run(Console()))
    report.write_text(check_report(dataset), encoding="utf-8")
    click.echo(check_table(dataset))
    click.echo(f"All of it as JSON: {report}")
    split(dataset.examples, Percentages())  # raises what would stop a training
    if dataset.problems_of(Severity.ERROR):
        sys.exit(1)


@main.command()
@click.argument("model")
@click.argument("images", metavar="IMAGE…", nargs=-1, required=True, type=FILE)
@click.option("--top-k", type=click.IntRange(1), default=1, show_default=True, help="Labels an image.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@ENGINE
def predict(model: str, images: tuple[Path, ...], top_k: int, engine: str, *, as_json: bool) -> None:
    """Name images by a MODEL. A file that cannot be read is named, and the exit status is 1."""
    from model.classifier import load_classifier
    from model.errors import ImageError
    from model.image import Limits, decode, read_image

    classifier = load_classifier(model, engine, granted_cpus(), CACHE / "models")
    failed = False
    for path in images:
        try:
            tensor = decode(read_image(path, Limits())).tensor
        except (ImageError, OSError) as error:
            failed = True
            click.echo(f"{path}: {error.strerror if isinstance(error, OSError) else error}", err=True)
            continue
        labels = classifier.classify(tensor[None], top_k)[0]
        if as_json:
            found = [{"name": label.name, "score": label.score} for label in labels]
            click.echo(json.dumps({"image": str(path), "labels": found}, ensure_ascii=False))
        else:
            click.echo(f"{path}  " + "  ".join(f"{label.name} {label.score:.1%}" for label in labels))
    sys.exit(failed)


@main.command()
@click.argument("model")
@click.argument("images", metavar="IMAGE_DIR", type=FOLDER)
@ENGINE
@click.option("--json", "as_json", is_flag=True, help="All figures, the confusion matrix among them.")
def evaluate(model: str, images: Path, engine: str, *, as_json: bool) -> None:
    """Measure a MODEL on labelled images that it was not trained on."""
    from model.classifier import load_classifier
    from training.dataset import Severity, scan
    from training.evaluation import evaluate, sentence

    classifier = load_classifier(model, engine, granted_cpus(), CACHE / "models")
    dataset = scan(images, Run(Console()))
    for problem in dataset.problems_of(Severity.ERROR):
        click.echo(f"set aside: {problem.path}: {problem.detail}", err=True)
    found = evaluate(classifier, dataset, Run(Console()))
    reminder = "worth something only where the model has seen none of these images in its training"
    click.echo(json.dumps(found) if as_json else f"{model} ({classifier.engine.name}): {sentence(found)}; {reminder}")


@main.command()
@click.argument("directory", metavar="DIR", type=FOLDER)
def flowers(directory: Path) -> None:
    """Download TensorFlow's flower photos (229 MB, 3,670 images of 5 labels, CC-BY) into DIR."""
    from training.sample import download_flowers

    click.echo(f"The photos are in {download_flowers(directory)}")


@main.command()
@click.argument("directory", metavar="DIR", type=FOLDER)
def sample(directory: Path) -> None:
    """Write a small labelled set into DIR, handwritten digits: something to train on where nothing can be downloaded."""
    from training.sample import write_sample

    click.echo(f"Wrote {write_sample(directory)} images of handwritten digits into {directory}")
