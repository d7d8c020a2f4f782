"""Which images a run on one's own machines is asked for: a folder's files, what lies under a prefix of S3, or a table's rows.

Nothing is read yet. What is no image is listed too and gets its error, since a name promises nothing: only what is hidden, by a
dot at the begin of its name, and S3's empty markers of folders are left out.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from model.stores.addresses import FORMS, address_of, is_remote, parse_address
from model.stores.objects import open_bucket

COLUMNS = (
    "image",
    "path",
    "file",
    "uri",
)  # of a table, any of them; a table without has its images in the first column


@dataclass(frozen=True)
class Item:
    name: str  # a file's path or an object's address, as the results call it
    tag: str | None = None  # changes whenever the content does; None: nobody knows before it is read


def list_items(source: str) -> Iterator[Item]:
    """List in an order that a rerun repeats. Raises ModelError or StoreError for a bucket, ClickException for what is not there."""
    path = Path(source)
    if is_remote(source):
        return _in_bucket(source)
    if path.is_dir():
        return _in_folder(path)
    if path.is_file() and path.suffix.lower() == ".csv":
        return _in_table(path)
    raise click.ClickException(f"{source} is no folder, no table.csv, and no bucket: write {FORMS}")


def _in_folder(folder: Path) -> Iterator[Item]:
    """A folder in it that cannot be read is named on standard error, and an item: it gets a row with an error."""
    unread: list[str] = []

    def note(error: OSError) -> None:
        said = f"{error.filename} cannot be read ({error.strerror}); give yourself permission, or move it"
        if Path(error.filename) == folder:
            raise click.ClickException(said)
        click.echo(said, err=True)
        unread.append(error.filename)

    for directory, folders, files in os.walk(folder, onerror=note):  # so that millions of names are never held
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from map(Item, unread)
        unread.clear()
        for name in sorted(files):
            if not name.startswith("."):
                yield Item(os.path.join(directory, name))  # noqa: PTH118 - a Path each would take as long as hashing
    yield from map(Item, unread)


def _in_bucket(address: str) -> Iterator[Item]:
    name, prefix = parse_address(address)
    exact = prefix + "/" if address.endswith("/") and prefix else prefix
    for found in open_bucket(name).list(exact):
        if not found.shows_folder:
            yield Item(address_of(name, found.key), f"{name}/{found.key} {found.etag}")


def _in_table(table: Path) -> Iterator[Item]:
    """Paths in a table are relative to its folder."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)  # else a quotation mark that is left open takes all rows that follow
        try:
            yield from _items(table, rows)
        except csv.Error as error:
            raise click.ClickException(f"{table}, line {rows.line_num}: cannot be read ({error})") from error


def _items(table: Path, rows: Iterator[list[str]]) -> Iterator[Item]:
    first = next(rows, [])
    column = next((first.index(name) for name in COLUMNS if name in first), None)
    if column is None and first:
        yield _named(first[0], table)
    for number, row in enumerate(rows, start=2):
        if not row:
            continue
        if len(row) <= (column or 0):
            raise click.ClickException(f"{table}, line {number}: has no cell {COLUMNS[0]!r}")
        yield _named(row[column or 0], table)


def _named(cell: str, table: Path) -> Item:
    return Item(cell if is_remote(cell) else str(table.parent / cell))
