"""`python -m training` as a user types it, in this process."""

from pathlib import Path

from click.testing import CliRunner, Result

from training.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def photos_of(tiny_model: str) -> Path:
    """What it was trained on."""
    return Path(tiny_model).parents[1] / "images"
