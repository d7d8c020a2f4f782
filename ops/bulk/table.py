"""Results → one table, CSV or Parquet, whole or not at all, in a folder or in S3. A row an image; an error is a row as well."""

import csv
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Any

import click

from model.classifier import Label
from model.stores.addresses import is_remote, parse_address
from model.stores.objects import open_bucket
from model.stores.pulled import draft
from serving.schemas import BulkResult, ModelName, Result

SUFFIXES = (".csv", ".parquet")
ROWS = 50_000  # in a row group of Parquet, and in memory


@dataclass(frozen=True)
class Row:
    """The columns, in their order."""

    image: str
    label: str | None
    score: float | None
    labels: list[Label]  # best first
    decision: str | None  # accepted, uncertain or unknown; None: the model cannot judge its answers
    width: int | None
    height: int | None
    format: str | None
    error: str | None  # the code of docs/formats.md and of the HTTP interface
    detail: str | None
    model: str | None
    version: int | None
    object_version: str | None  # of S3, where the source named one


def row_of(image: str, result: Result | BulkResult, model: ModelName | None, object_version: str | None = None) -> Row:
    labels, facts, error = result.labels or [], result.image, result.error
    return Row(
        image=image.encode(errors="backslashreplace").decode(),  # a name need be no UTF-8
        label=labels[0].name if labels else None,
        score=labels[0].score if labels else None,
        labels=labels,
        decision=str(result.decision) if result.decision else None,
        width=facts.width if facts else None,
        height=facts.height if facts else None,
        format=facts.format if facts else None,
        error=error.code if error else None,
        detail=error.detail if error else None,
        model=model.name if model else None,
        version=model.version if model else None,
        object_version=object_version,
    )


def check_place(out: str, source: str = "") -> None:
    """Refuse at the begin what could not be written at the end, or would be taken for an image by the next run."""
    if Path(out).suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"{out}: name a table that ends in {' or '.join(SUFFIXES)}")
    if not is_remote(out) and Path(out).is_dir():
        raise click.BadParameter(f"{out} is a folder")
    if source and Path(source).is_dir() and Path(out).absolute().is_relative_to(Path(source).absolute()):
        raise click.BadParameter(f"{out} lies among the images: name a table outside of {source}")


def write_table(out: str, rows: Iterable[Row]) -> int:
    """Write the table; return how many rows it has. Raises StoreError where the bucket does not take it."""
    with _whole(out) as file:
        write = _write_csv if out.lower().endswith(".csv") else _write_parquet
        return write(file, rows)


@contextmanager
def _whole(out: str) -> Iterator[IO[bytes]]:
    """A file that takes its place when it is whole."""
    if not is_remote(out):
        with draft(Path(out)) as part:
            yield part
            part.flush()
            Path(part.name).replace(out)
        return
    name, key = parse_address(out)
    with tempfile.TemporaryFile() as part:
        yield part
        part.seek(0)
        open_bucket(name).upload(part, key)


def _write_csv(file: IO[bytes], rows: Iterable[Row]) -> int:
    text, count = TextIOWrapper(file, encoding="utf-8", newline=""), 0
    table = csv.writer(text)
    table.writerow(column.name for column in fields(Row))
    for count, row in enumerate(rows, start=1):  # noqa: B007 - what was counted last is the answer
        cells = asdict(row)
        table.writerow((cells | {"labels": json.dumps(cells["labels"], ensure_ascii=False)}).values())
    text.detach()
    return count


def _write_parquet(file: IO[bytes], rows: Iterable[Row]) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    text, number, count = pa.string(), pa.int64(), 0
    labels = pa.list_(pa.struct([("name", text), ("score", pa.float64())]))
    types: dict[str, Any] = {
        "score": pa.float64(),
        "labels": labels,
        "width": number,
        "height": number,
        "version": number,
    }
    schema = pa.schema([(column.name, types.get(column.name, text)) for column in fields(Row)])
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        left = iter(rows)
        while some := [asdict(row) for row in islice(left, ROWS)]:
            writer.write_table(pa.Table.from_pylist(some, schema))
            count += len(some)
    return count
