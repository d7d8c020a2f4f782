"""`python -m training …`: the command line. It parses, calls, and prints; what it calls knows nothing of it.

Options may be written with hyphens or underscores, so the names of TensorFlow's retrain.py are accepted as they were.
"""

import errno
import logging
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from model.errors import RecognitionError
from training.check_command import check_command
from training.console import suppress_stderr
from training.evaluate_command import compare_command, evaluate_command
from training.options import FOLDER
from training.predict_command import predict_command
from training.retrain_command import retrain_command
from training.store_commands import STORE_COMMANDS

REMEDIES = {
    errno.ENOSPC: "make room, and type the same command again: what was finished is kept",
    errno.ENOENT: "check the path",
    errno.EACCES: "name a place that you may read and write",
    errno.EROFS: "name a place that can be written",
}
CONTENTS = {  # in the order in which they are needed
    "Images to begin with": ("sample", "flowers"),
    "From images to a model": ("check", "retrain"),
    "What a model is worth": ("evaluate", "compare", "predict"),
    "Which version serves": ("list", "publish", "promote", "rollback", "prune"),
}


class Commands(click.Group):
    """Turns our errors into one sentence and exit status 1: a traceback is for our mistakes, not the user's."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):  # what a terminal's encoding lacks is spelled out, not fatal
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*arguments, **options)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except RecognitionError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            what = f"{error.filename or 'the disk'}: {error.strerror or error}"
            raise click.ClickException(
                f"{what}; {REMEDIES.get(error.errno or 0, 'try again, or name another place')}"
            ) from error
        except KeyboardInterrupt as interrupt:
            click.echo("\nInterrupted. Every finished feature is kept; the same command goes on from there.", err=True)
            raise click.exceptions.Exit(130) from interrupt

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in CONTENTS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit=80)) for name in names])


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

    Put the images at IMAGE_DIR/LABEL/IMAGE; a divided set, a table of path and label, an archive and a prefix in a bucket
    are read too (docs/training.md). A STORE is a folder, s3://bucket/prefix (AWS_ENDPOINT_URL is honoured), az://container/prefix
    (Azure Blob Storage) or gs://bucket/prefix (Google Cloud Storage); a MODEL is STORE/NAME, its newest version, or STORE/NAME/VERSION, or STORE/NAME@ALIAS.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors only
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


for command in (
    check_command,
    retrain_command,
    predict_command,
    evaluate_command,
    compare_command,
    *STORE_COMMANDS,
):
    main.add_command(command)


@main.command(short_help="Download TensorFlow's flower photos: 3,670 of 5 labels.")
@click.argument("directory", metavar="DIR", type=FOLDER)
def flowers(directory: Path) -> None:
    """Download TensorFlow's flower photos (229 MB, 3,670 images of 5 labels, CC-BY) into DIR."""
    from training.sample import download_flowers

    with suppress_stderr():
        import keras  # noqa: F401 - it fetches
    click.echo(f"The photos are in {download_flowers(directory)}")


@main.command(short_help="Write a small labelled set: handwritten digits.")
@click.argument("directory", metavar="DIR", type=FOLDER)
def sample(directory: Path) -> None:
    """Write a small labelled set into DIR, handwritten digits: something to train on where nothing can be downloaded."""
    from training.sample import write_sample

    click.echo(f"Wrote {write_sample(directory)} images of handwritten digits into {directory}")
