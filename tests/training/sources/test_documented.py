"""docs/training.md is true: each row of its tables of folders and tables is made, and listed."""

import re
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.sets import Touch
from training.sources.listing import Reading
from training.sources.source import list_images

PAGE = (ROOT / "docs" / "training.md").read_text().partition("## Archives")[0]  # its sections on folders and tables
ROWS = [
    [re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split(" | ")] + [line]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| ---") and "becomes" not in line
]
FOLDERS = [row for row in ROWS if not re.search(r"[,;{]", " ".join(row[1]))]
TABLES = [row for row in ROWS if row not in FOLDERS]


def listed(path: Path, how: Reading) -> list[str]:
    return sorted(f"{file.label} {file.part or ''}".strip() for file in list_images(path, how).files)


def test_both_tables_are_found() -> None:
    assert len(FOLDERS) >= 8
    assert len(TABLES) >= 7


@pytest.mark.parametrize("row", FOLDERS, ids=lambda row: row[-1][:40])
def test_folders_are_read_as_the_page_says(photos: Touch, how: Reading, row: list) -> None:
    assert listed(photos(" ".join(row[1])), how) == sorted(row[2])


@pytest.mark.parametrize("row", TABLES, ids=lambda row: row[-1][:40])
def test_tables_are_read_as_the_page_says(photos: Touch, how: Reading, row: list) -> None:
    photos("images/1.jpg")
    (photos.root / "table").write_text("\n".join(row[1]))
    assert listed(photos.root / "table", how) == row[2]
