"""What options of several commands have in common."""

from pathlib import Path

import click
from platformdirs import user_cache_path

CACHE = user_cache_path("serverless-image-recognition")  # ~/.cache/… on Linux, where XDG_CACHE_HOME names no other
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
ENGINE = click.option(
    "--engine", type=click.Choice(["auto", "litert", "tensorflow"]), default="auto", show_default=True
)
