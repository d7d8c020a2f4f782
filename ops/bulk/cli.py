"""The commands; each stands in a module of its own."""

import click

from ops.bulk.remote_commands import fetch_command, start_command, status_command
from ops.bulk.run_command import run_command


@click.group(context_settings={"max_content_width": 100})
def main() -> None:
    """Name many images at once, into one table."""


for command in (run_command, start_command, status_command, fetch_command):
    main.add_command(command)
