"""What the folders of a set are: one that holds all others, the parts that divide it, or labels; no file but a table is opened."""

from collections.abc import Mapping
from pathlib import Path

from training.sources.directories import Folder
from training.sources.listing import Part
from training.sources.names import part_named, part_within
from training.sources.rows import Table
from training.sources.tables import read_table

KNOWN_TABLES = {"metadata.csv", "metadata.jsonl", "_classes.csv"}  # Hugging Face's and Roboflow's, beside the images


def unwrapped(folder: Folder) -> Folder:
    """Go into the one folder that holds all others, as archives have it."""
    for _ in range(8):  # links may lead in circles
        if len(folder.folders) != 1 or folder.images or known_table(folder):
            break
        inner = Folder.peek(folder.folders[0])
        if not inner.folders and not known_table(inner):
            break
        folder = inner
    return folder


def known_table(folder: Folder) -> Table | None:
    tables = (read_table(path) for path in folder.files if path.name.casefold() in KNOWN_TABLES)
    return next((table for table in tables if table), None)


def parts_of(base: Folder) -> dict[Path, Part]:
    """The folders of a set that is divided already: train, which holds labels, and at least one more part."""
    named = {path: part for path in base.folders if (part := part_named(path.name))}
    if len(set(named.values())) > 1 and any(_is_filled(path) for path in _trains(named)):
        return named
    alike = {path: part for path in base.folders if (part := part_within(path.name))}
    if len(set(alike.values())) < 2:
        return {}
    train = [_labels_in(path) for path in _trains(alike)]  # of a name that may be a label's, more is asked
    others = [_labels_in(path) for path, part in alike.items() if part is not Part.TRAIN]
    return alike if any(labels and labels in others for labels in train) else {}


def _trains(parts: Mapping[Path, Part]) -> list[Path]:
    return [path for path, part in parts.items() if part is Part.TRAIN]


def _is_filled(path: Path) -> bool:
    folder = Folder.peek(path)
    return bool(folder.folders or known_table(folder))


def _labels_in(path: Path) -> set[str]:
    return {label.name for label in unwrapped(Folder.peek(path)).folders}


def inner_parts(base: Folder) -> Mapping[Path, Mapping[Path, Part | None]] | None:
    """The parts within each label, where every label is divided: <label>/train/<image>."""
    found: dict[Path, dict[Path, Part | None]] = {}
    for label in map(Folder.peek, base.folders):
        parts: dict[Path, Part | None] = {path: part for path in label.folders if (part := part_named(path.name))}
        if label.files or len(parts) < len(label.folders) or Part.TRAIN not in parts.values() or len(parts) < 2:
            return None
        found[label.path] = parts
    return found or None


def alike_within(base: Folder) -> set[str]:
    """The names of the folders that each folder holds, and nothing else: which of the two levels are labels?"""
    names: set[str] = set()
    for label in map(Folder.peek, base.folders):
        found = {path.name for path in label.folders}
        if label.files or len(found) < 2 or (names and found != names):
            return set()
        names = found
    return names if len(base.folders) > 1 else set()
