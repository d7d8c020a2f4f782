"""A table of path, label and, if there is one, part → the files that it names.

Columns have the names that people and services give them; the text decides the form, not the file's name.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from model.stores.addresses import S3
from training.errors import DatasetError
from training.problems import Problem, Severity
from training.sources.csv_rows import table_from_csv
from training.sources.json_rows import table_from_json
from training.sources.listing import LabelledFile, Listing, Part, Reading, shown
from training.sources.names import bad_labels, normalised, part_named, why_no_label
from training.sources.remote import fetch
from training.sources.rows import NO_PART, SCHEME, Row, Table

MOST_BYTES = 2**30  # of a table; about ten million lines
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # what Excel calls "Unicode text"
LEFT_OUT = (".jpg", ".jpeg", ".png")  # what a path without a suffix may stand for


def read_table(path: Path) -> Table | None:
    """Read a table; None where it names no images with labels. Raises DatasetError where it cannot be read at all."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DatasetError(f"{path} has more than {MOST_BYTES / 2**30:.0f} GB: divide it")
        data = path.read_bytes()
        text = data.decode("utf-16" if data.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not {error.encoding.upper()} (byte {error.start:,}): a table is a CSV or JSON Lines in UTF-8"
        ) from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror})") from error
    return table_from_json(path, text) if text.lstrip()[:1] in {"{", "["} else table_from_csv(path, text)


def list_tables(tables: Sequence[tuple[Table, Part | None]], root: Path, how: Reading) -> Listing:
    """Find the files that the tables name; a part that is given holds for the whole table. Raises DatasetError for none."""
    files: list[LabelledFile] = []
    problems: list[Problem] = []
    names: set[str] = set()
    for table, part in tables:
        here = shown(root, table.path)
        problems += [Problem(Severity.ERROR, "table", f"{here}:{line}", why) for line, why in table.problems]
        found = _find(table, root, how)
        for row in table.rows:
            file = found.get(row.path)
            if why := _why_unusable(row):
                problems.append(Problem(Severity.ERROR, "table", f"{here}:{row.line}", why))
            elif file is None:
                problems.append(Problem(Severity.ERROR, "missing", f"{here}:{row.line}", _why_missing(row.path, how)))
            else:
                names.add(row.labels[0])
                if not why_no_label(row.labels[0]):
                    files.append(LabelledFile(file, normalised(row.labels[0]), part or part_named(row.part)))
    if not files:
        why = f"; {problems[0].path}: {problems[0].detail}" if problems else ""
        raise DatasetError(
            f"{tables[0][0].path} names no labelled image that is there (paths start at the table's own folder){why}"
        )
    listed = ", ".join(f"{shown(root, table.path)} ({table.columns})" for table, _ in tables)
    return Listing(root, f"a table of paths and labels: {listed}", tuple(files), (*problems, *bad_labels(names)))


def _why_unusable(row: Row) -> str | None:
    if not row.labels:
        return f"{row.path} has no label"
    if len(row.labels) > 1:
        return f"{row.path} has {len(row.labels)} labels ({', '.join(row.labels)}); a picture has one here"
    if row.part.strip().casefold() not in NO_PART and not part_named(row.part):
        return f"{row.part!r} is no part: write train, validation, test, or nothing"
    return None


def _why_missing(path: str, how: Reading) -> str:
    scheme = SCHEME.match(path)
    if scheme and not _address(path, how):
        return (
            f"{path}: nothing is read from {scheme[0]}…; copy the images beside the table, each under a name of its own"
        )
    return f"{path} is not there"


def _find(table: Table, root: Path, how: Reading) -> dict[str, Path]:
    """Each path's file: beside the table, or in a bucket."""
    paths = dict.fromkeys(row.path for row in table.rows)
    found = {path: file for path in paths if (file := _beside(table.path.parent, path))}
    taken = Counter(found[path] for path in found if SCHEME.match(path))  # of two addresses one file is the wrong one
    found = {path: file for path, file in found.items() if not SCHEME.match(path) or taken[file] == 1}
    if how.confined:
        top = root.resolve()
        found = {path: file for path, file in found.items() if file.resolve().is_relative_to(top)}
    if how.confined and not how.home:
        return found
    addresses = {path: _address(path, how) for path in paths if path not in found}
    files = fetch([address for address in addresses.values() if address], how)
    return found | {path: files[address] for path, address in addresses.items() if address in files}


def _address(path: str, how: Reading) -> str:
    """What is downloaded of what a table names: what lies in S3, or where the table came from."""
    if scheme := SCHEME.match(path):
        return path if scheme[0] in (S3, how.home.partition("//")[0] + "//") else ""
    return f"{how.home}/{path}" if how.home else ""


def _beside(home: Path, path: str) -> Path | None:
    """The file of this name; of an address, whatever of its end lies beside the table."""
    for name in _spellings(path):
        for suffix in ("", *LEFT_OUT):
            try:
                file = home / f"{name}{suffix}"
                if file.is_file():
                    return file
            except (OSError, ValueError):  # a name that is too long, or holds a zero
                continue
    return None


def _spellings(path: str) -> Iterator[str]:
    address = SCHEME.match(path)
    if not address:
        yield from dict.fromkeys([path, path.replace("\\", "/")])
        return
    parts = path[address.end() :].split("/")
    for start in range(1, len(parts)):
        yield from dict.fromkeys(["/".join(parts[start:]), unquote("/".join(parts[start:]))])
