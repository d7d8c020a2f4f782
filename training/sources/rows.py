"""What a table says, whatever its form: a row is a path, its labels and a part; and the names that columns have."""

import re
from dataclasses import dataclass
from pathlib import Path

from training.sources.names import SUFFIXES

PATHS = {  # letters and digits of the names of columns that hold where an image is
    "path",
    "file",
    "filename",
    "filepath",
    "image",
    "imagepath",
    "imagename",
    "imagefile",
    "imagefilename",
    "imagegcsuri",
    "imageurl",
    "imageuri",
    "img",
    "imgpath",
    "gcsfilepath",
    "gcsuri",
    "sourceref",
    "uri",
    "url",
}
LABELS = {"label", "labels", "labelname", "class", "classname", "category", "categoryname", "target", "displayname"}
PARTS = {"part", "split", "set", "subset", "mluse", "dataset", "partition", "usage"}
NO_PART = {"", "unassigned", "none", "null"}  # AutoML's words, and others', for: choose for me
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True)
class Row:
    line: int
    path: str
    labels: tuple[str, ...]
    part: str = ""


@dataclass(frozen=True)
class Table:
    path: Path
    columns: str  # which were taken, for people
    rows: tuple[Row, ...]
    problems: tuple[tuple[int, str], ...] = ()  # lines that cannot be read, and why


def plain_name(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", column.casefold())


def names_image(cell: str) -> bool:
    return Path(cell.strip()).suffix.lower() in SUFFIXES or bool(SCHEME.match(cell.strip()))
