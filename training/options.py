"""What options of several commands have in common."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from model.image import Limits
from training.sources.listing import LabelsFrom

Command = TypeVar("Command", bound=Callable[..., Any])


class Repeatable(click.Command):
    """Remembers the arguments as they were written, so that a report can say how to repeat the run."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        context.meta[ARGUMENTS] = [self.name or "", *arguments]
        return super().parse_args(context, arguments)


def command_line() -> str:
    """The command that is running, for a shell."""
    return shlex.join(["python", "-m", "training", *click.get_current_context().meta[ARGUMENTS]])


ARGUMENTS = "training.arguments"  # in a context's meta
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
MODEL = (
    "A MODEL is STORE/NAME, its newest version, or STORE/NAME/VERSION, or STORE/NAME@ALIAS."  # for a command's epilog
)
ENGINE = click.option(
    "--engine",
    type=click.Choice(["auto", "litert", "tensorflow"]),
    default="auto",
    show_default=True,
    help="What runs the MODEL; auto takes its compiled model (litert), if it has one.",
)
LABELS_FROM = click.option(
    "--labels-from",
    type=click.Choice(LabelsFrom, case_sensitive=False),
    default=LabelsFrom.TOP,
    help="The folder that names an image which lies deeper than LABEL/IMAGE.  [default: top]",
)
MEGAPIXEL_MB = 20  # MB that decoders hold for a megapixel, at most (HEIC and WebP need most)


def limit_options(command: Command) -> Command:
    """Add the options that bound an image; offline, photos may be larger than a function serves."""
    for option in (
        click.option(
            "--max-megabytes", type=click.IntRange(1), default=100, show_default=True, help="Of an image's file."
        ),
        click.option(
            "--min-side", type=click.IntRange(1), default=16, show_default=True, help="Of an image, in pixels."
        ),
        click.option(
            "--max-megapixels", type=click.IntRange(1), default=200, show_default=True, help="Of an image, all told."
        ),
    ):
        command = option(command)
    return command


def limits_of(max_megapixels: int, min_side: int, max_megabytes: int) -> Limits:
    return Limits(
        max_bytes=max_megabytes * 2**20,
        max_pixels=max_megapixels * 1_000_000,
        min_side=min_side,
        max_decode_mb=max(Limits().max_decode_mb, MEGAPIXEL_MB * max_megapixels),
    )
