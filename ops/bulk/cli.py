"""The commands; each stands in a module of its own."""

import click

from ops.bulk.run_command import run_command


@click.group(context_settings={"max_content_width": 100})
def main() -> None:
    """Name many images at once, into one table."""


main.add_command(run_command)
