"""CSV, separated by commas, semicolons, tabs or bars, with a header or without: Vertex AI and AutoML write none.

Quotes are read as leniently as csv reads them, but a quoted cell that runs over other rows is refused, and named.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from training.sources.names import part_named
from training.sources.rows import LABELS, NO_PART, PARTS, PATHS, Row, Table, names_image, plain_name

Line = tuple[int, list[str]]  # its number, its cells
DELIMITERS = ",;\t|"
STATED = re.compile(r"sep=(.)[\r\n]*")  # a first line for Excel
OPEN_QUOTE = "cannot be read: a quotation mark opens here and is not closed where it should be; close it, or double it"
MOST_LINES = 20  # of the text that one row may hold; a note has a few, an unclosed quote takes all that follow


@dataclass(frozen=True)
class _Columns:
    path: int
    labels: tuple[int, ...]  # those that are filled count
    part: int | None = None
    one_hot: bool = False  # a column for each label, holding 0 or 1 (Roboflow's _classes.csv)

    @property
    def last(self) -> int:
        return max(self.path, *self.labels, self.part or 0)


def table_from_csv(path: Path, text: str) -> Table | None:
    """Read the rows; None where no columns of images and labels are found."""
    lines, problems = _lines(text)
    if not lines:
        return None
    header = lines[0][1]
    headless = not {plain_name(cell) for cell in header} & (PATHS | LABELS) and any(map(names_image, header))
    columns = _by_place(lines) if headless else _by_name(header, lines[1:])
    if columns is None:
        return None
    rows = []
    for line, cells in lines if headless else lines[1:]:
        if any(cell.strip() for cell in cells[len(header) :]):
            why = f"has {len(cells)} cells for {len(header)} columns: put cells that hold the separator in quotes"
            problems.append((line, why))
        elif len(cells) > columns.last or (headless and len(cells) > columns.labels[0]):
            part = cells[columns.part] if columns.part is not None else ""
            rows.append(Row(line, cells[columns.path].strip(), tuple(_labels(header, cells, columns)), part))
        else:
            problems.append((line, f"has {len(cells)} of {len(header)} columns"))
    taken = [columns.path, *columns.labels, *([] if columns.part is None else [columns.part])]
    described = ", ".join(repr(header[i].strip()) for i in taken) if not headless else "by place: it has no header"
    return Table(path, described, tuple(rows), tuple(problems))


def _lines(text: str) -> tuple[list[Line], list[tuple[int, str]]]:
    written = list(StringIO(text, newline=""))
    stated = STATED.fullmatch(written[0]) if written else None
    if stated:
        written[0] = "\n"  # lines keep their numbers
    header = next((line for line in written if line.strip()), "")
    delimiter = stated[1] if stated else max(DELIMITERS, key=header.count)
    width = header.count(delimiter) + 1
    lines: list[Line] = []
    problems: list[tuple[int, str]] = []
    start = 0  # lines before this row
    while start < len(written):
        first = start
        rest = (written[i] for i in range(first, len(written)))
        reader = csv.reader(rest, delimiter=delimiter, skipinitialspace=True)
        try:
            for cells in reader:
                end = first + reader.line_num
                _refuse_open_quote(written[start:end], delimiter, width, last=end == len(written))
                if any(cell.strip() for cell in cells):
                    lines.append((start + 1, cells))
                start = end
        except csv.Error as error:
            problems.append((start + 1, OPEN_QUOTE if '"' in written[start] else f"cannot be read ({error})"))
            start += 1  # the next row may be sound
    return lines, problems


def _refuse_open_quote(row: Sequence[str], delimiter: str, width: int, *, last: bool) -> None:
    """Raise csv.Error where a quote in this row was left open: it has no end, or what should be other rows lies within it."""
    if len(row) == 1 and not last:
        return
    try:
        list(csv.reader(row, delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error as error:
        if len(row) > 1 or "end of data" in str(error):
            raise
    if len(row) > MOST_LINES or any(_looks_like_row(line, delimiter, width) for line in row[1:]):
        raise csv.Error


def _looks_like_row(line: str, delimiter: str, width: int) -> bool:
    """Say whether a line names an image, or has a cell for each column; after a comma, a note goes on with a space."""
    cells = line.rstrip("\r\n").split(delimiter)
    full = len(cells) == width > 2 and not any(cell.startswith(" ") for cell in cells)
    return full or any(names_image(cell.strip(' "')) for cell in cells)


def _by_name(header: Sequence[str], lines: Sequence[Line]) -> _Columns | None:
    """Find the columns by their names; where one alone is left, it is the one that is missing."""
    names = [plain_name(cell) for cell in header]
    first = lines[0][1] if lines else []
    found = {
        kind: next((i for i, name in enumerate(names) if name in kind), None)
        for kind in map(frozenset, (PATHS, LABELS, PARTS))
    }
    path, label, part = found.values()
    if path is None:
        path = next((i for i, cell in enumerate(first[: len(header)]) if names_image(cell)), None)
    rest = [i for i in range(len(header)) if i not in {path, label, part}]
    if path is None and label is not None and len(rest) == 1:
        path = rest[0]
    if path is None:
        return None
    if label is None and len(rest) == 1:
        label = rest[0]
    if label is not None:
        return _Columns(path, (label,), part)
    cells = {cells[i].strip() for _, cells in lines for i in rest if i < len(cells)}
    return _Columns(path, tuple(rest), part, one_hot=True) if len(rest) > 1 and cells and cells <= {"0", "1"} else None


def _by_place(lines: Sequence[Line]) -> _Columns | None:
    """[part,]path,label as Vertex AI and AutoML write it, or path,label[,part]."""
    first = lines[0][1]
    path = next(i for i, cell in enumerate(first) if names_image(cell))
    after = tuple(range(path + 1, len(first)))
    if not after:
        return None
    if path == 1:
        return _Columns(path, after, 0)
    has_part = len(after) == 2 and all(_is_part(cells[path + 2 : path + 3]) for _, cells in lines)
    return _Columns(path, after[:1], after[1]) if has_part else _Columns(path, after)


def _is_part(cells: Sequence[str]) -> bool:
    return all(part_named(cell) or cell.strip().casefold() in NO_PART for cell in cells)


def _labels(header: Sequence[str], cells: Sequence[str], columns: _Columns) -> list[str]:
    if columns.one_hot:
        return [header[i].strip() for i in columns.labels if cells[i].strip() == "1"]
    return [cells[i] for i in columns.labels if i < len(cells) and cells[i].strip()]
