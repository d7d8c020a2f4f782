"""`python -m ops.bulk run`: list → name what no earlier run has named → write the table."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from model.errors import RecognitionError
from model.stores.addresses import is_remote
from model.stores.uri import ModelVersion, resolve
from ops.bulk.items import Item, list_items
from ops.bulk.journal import Journal
from ops.bulk.local_engine import name_here
from ops.bulk.naming import Named, Wish
from ops.bulk.progress import bar
from ops.bulk.table import check_place, row_of, write_table
from serving.schemas import ModelName
from serving.settings import Settings

NameAll = Callable[
    [ModelVersion, Iterable[tuple[int, Item]], Wish, Journal, int | None], Iterator[tuple[int, Named]]
]  # a model, the images by their positions, how, what is known, on how many workers (None: all there are) → what came out, by position


@dataclass(frozen=True)
class Done:
    images: int
    before: int  # of them, named by an earlier run
    failed: int


@click.command("run")
@click.argument("source", metavar="FOLDER|BUCKET|LIST.csv")
@click.argument("model")
@click.option("--out", required=True, help="The table: a .parquet or a .csv, here or in a bucket.")
@click.option("--top-k", type=click.IntRange(1), default=1, show_default=True, help="Labels an image.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="This machine, or Ray: the cluster that RAY_ADDRESS names, else one on this machine.",
)
@click.option(
    "--workers", type=click.IntRange(1), help="Images that are scored at a time; else as many as there are CPUs."
)
def run_command(source: str, model: str, out: str, top_k: int, engine: str, workers: int | None) -> None:
    """Name every image of a folder, of a prefix in a bucket or of a table's column by a MODEL.

    An image that cannot be read is a row with its error. The limits of an image are those of the service, by the same variables
    (docs/configuration.md). A run that was ended goes on where it was; OUT.journal keeps what was done, by content, and another
    run to the same OUT names only what is new.
    """
    check_place(out, source)
    try:
        done = run(
            source,
            resolve(model),
            out,
            Wish(Settings.from_environment(os.environ).limits, top_k),
            _engine(engine),
            workers,
        )
    except RecognitionError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{done.images:,} images, {done.before:,} of them named before, {done.failed:,} with an error: {out}")
    sys.exit(not done.images)


def run(
    source: str, version: ModelVersion, out: str, wish: Wish, name_all: NameAll, workers: int | None = None
) -> Done:
    """Raises ModelError or StoreError, and ClickException for what is not there."""
    journal = Journal(journal_of(out), identity_of(version, wish))
    try:
        images = journal.begin(list_items(source))
        missing = journal.missing()
        computed = 0
        if missing:
            with bar("naming", missing) as advance:
                for position, named in name_all(version, journal.to_do(), wish, journal, workers):
                    journal.record(position, named)
                    computed += named.result is not None
                    advance(failed=bool(named.result and named.result.error))
        name = ModelName(version.name, version.number)
        write_table(out, (row_of(image, result, name) for image, result in journal.results()))
        return Done(images, images - computed, journal.failures())
    finally:
        journal.close()


def journal_of(out: str) -> Path:
    """Beside the table; in this folder, where the table goes to a bucket."""
    return Path(f"{Path(out).name}.journal") if is_remote(out) else Path(f"{out}.journal")


def identity_of(version: ModelVersion, wish: Wish) -> str:
    """All that an answer depends on but the image."""
    manifest = hashlib.sha256(msgspec.json.encode(version.manifest())).hexdigest()
    return f"{version.name}/{version.number}/{manifest[:16]}/top-{wish.top_k}"


def _engine(name: str) -> NameAll:
    if name == "local":
        return name_here
    try:
        from ops.bulk.ray_engine import name_by_ray
    except ImportError as error:
        raise click.ClickException(
            f"--engine ray needs the package of the extra `ray`: pip install 'ray>=2.60' ({error})"
        ) from error
    return name_by_ray
