"""IMAGE_DIR/<label>/<image>, also divided into train, validation and test, nested, or within one more folder.

It lists names only. What is no label, and why, comes out as problems; only what leaves nothing to read is raised.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from training.errors import DatasetError
from training.problems import Problem, Severity, counted
from training.sources.listing import LabelledFile, LabelsFrom, Listing, Part, Reading, shown
from training.sources.names import SUFFIXES, bad_labels, is_junk, normalised, part_named, why_no_label
from training.sources.rows import Table
from training.sources.tables import list_tables, read_table

KNOWN_TABLES = {"metadata.csv", "metadata.jsonl", "_classes.csv"}  # Hugging Face's and Roboflow's, beside the images
TABLES = {".csv", ".tsv", ".jsonl", ".json", ".manifest"}


@dataclass(frozen=True)
class Folder:
    """A directory's entries, sorted by name; what systems leave behind is set apart."""

    path: Path
    folders: tuple[Path, ...]
    files: tuple[Path, ...]
    junk: tuple[Path, ...]

    @classmethod
    def read(cls, path: Path) -> "Folder":
        """Raises OSError."""
        folders: list[Path] = []
        files: list[Path] = []
        junk: list[Path] = []
        with os.scandir(path) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                kind = junk if is_junk(entry.name) else folders if entry.is_dir() else files
                kind.append(path / entry.name)
        return cls(path, tuple(folders), tuple(files), tuple(junk))

    @property
    def images(self) -> list[Path]:
        return [path for path in self.files if path.suffix.lower() in SUFFIXES]


@dataclass
class _Walk:
    """What was found so far."""

    root: Path
    labels_from: LabelsFrom
    files: list[LabelledFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    names: set[str] = field(default_factory=set)  # labels, as the folders spell them
    deeper: int = 0  # images below <label>/<folder>
    seen: set[tuple[int, int]] = field(default_factory=set)  # device and inode: links may lead in circles

    def say(self, severity: Severity, kind: str, path: Path, detail: str) -> None:
        self.problems.append(Problem(severity, kind, shown(self.root, path), detail))

    def read(self, path: Path) -> Folder | None:
        """Read a folder, once; None where it cannot be read, or was."""
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in self.seen:
                self.say(Severity.WARNING, "ignored", path, "a link to a folder that is read already")
                return None
            self.seen.add((status.st_dev, status.st_ino))
            folder = Folder.read(path)
        except OSError as error:
            detail = f"cannot be read ({error.strerror}); give yourself permission, or move it"
            self.say(Severity.ERROR, "forbidden", path, detail)
            return None
        for junk in folder.junk:
            self.say(Severity.NOTE, "ignored", junk, "hidden, or left behind by a system")
        return folder


def list_folder(root: Path, how: Reading) -> Listing:
    """List a folder in whichever layout it has. Raises DatasetError where nothing in it has a label."""
    base = _unwrapped(_opened(root))
    if table := _known_table(base):
        return list_tables([(table, None)], root, how)
    parts = _parts(base)
    tables = {folder.path: table for folder in parts if (table := _known_table(_unwrapped(folder)))}
    if tables:
        return list_tables([(table, part_named(path.name)) for path, table in tables.items()], root, how)
    walk = _Walk(root, how.labels_from)
    layout = _walk_parts(walk, base, parts) if parts else _walk_labels(walk, base)
    if len({file.label for file in walk.files}) < 2 and (found := _other_tables(base)):
        return list_tables(found, root, how)
    if not walk.files and not walk.names:
        raise DatasetError(
            f"{root} holds no labelled images; put them at {root}/<label>/<image>, or give a table of path and label"
        )
    within = "" if base.path == root else f", within {shown(root, base.path)}"
    return Listing(
        root,
        f"{layout}{within}{_depth(walk)}",
        tuple(walk.files),
        (*walk.problems, *bad_labels(walk.names)),
    )


def _opened(root: Path) -> Folder:
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder; give one that holds a folder of images for each label")
    try:
        return Folder.read(root)
    except OSError as error:
        raise DatasetError(f"{root} cannot be read ({error.strerror}); give yourself permission, or move it") from error


def _peek(path: Path) -> Folder:
    """Look into a folder; one that cannot be read is empty here, and said so by the walk."""
    try:
        return Folder.read(path)
    except OSError:
        return Folder(path, (), (), ())


def _unwrapped(folder: Folder) -> Folder:
    """Go into the one folder that holds all others, as archives have it."""
    for _ in range(8):  # links may lead in circles
        if len(folder.folders) != 1 or folder.images or _known_table(folder):
            break
        inner = _peek(folder.folders[0])
        if not inner.folders and not _known_table(inner):
            break
        folder = inner
    return folder


def _known_table(folder: Folder) -> Table | None:
    tables = (read_table(path) for path in folder.files if path.name.casefold() in KNOWN_TABLES)
    return next((table for table in tables if table), None)


def _other_tables(base: Folder) -> list[tuple[Table, Part | None]]:
    """The one table in the folder, or one for each part."""
    found = [table for path in base.files if path.suffix.lower() in TABLES and (table := read_table(path))]
    parts = [part_named(table.path.stem) for table in found]
    if len(found) > 1 and (None in parts or len(set(parts)) < len(found)):
        listed = ", ".join(str(table.path) for table in found)
        raise DatasetError(f"{base.path} has no folders of labels but several tables; give one of them: {listed}")
    return list(zip(found, parts, strict=True))


def _parts(base: Folder) -> list[Folder]:
    """The folders of a set that is divided already: train, which holds labels, and at least one more part."""
    found = {path: _peek(path) for path in base.folders if part_named(path.name)}
    train = [path for path in found if part_named(path.name) is Part.TRAIN]
    divided = len(found) > len(train) and any(found[path].folders or _known_table(found[path]) for path in train)
    return list(found.values()) if divided else []


def _walk_parts(walk: _Walk, base: Folder, parts: list[Folder]) -> str:
    _say_unlabelled(walk, base)
    for path in base.folders:
        if not part_named(path.name):
            walk.say(Severity.WARNING, "ignored", path, "stands beside the parts of a divided set, so it is no label")
    for folder in parts:
        _walk_labels(walk, _unwrapped(folder), part_named(folder.path.name))
    names = "|".join(folder.path.name for folder in parts)
    return f"<{names}>/<label>/<image>: divided by its folders"


def _walk_labels(walk: _Walk, base: Folder, part: Part | None = None) -> str:
    """Walk through the folders of labels."""
    _say_unlabelled(walk, base)
    inner = None if part else _inner_parts(base)
    for path in base.folders:
        if why_no_label(path.name):
            walk.names.add(path.name)
            continue
        before = len(walk.files)
        if inner:
            for folder, inner_part in inner[path].items():
                _walk_label(walk, folder, path.name, inner_part)
        else:
            _walk_label(walk, path, path.name, part)
        if len(walk.files) == before:
            walk.say(Severity.WARNING, "empty", path, "an empty folder: no label; add images, or remove it")
    if not inner:
        return "<label>/<image>"
    return f"<label>/<{'|'.join(sorted({path.name for paths in inner.values() for path in paths}))}>/<image>: divided by its folders"


def _inner_parts(base: Folder) -> Mapping[Path, Mapping[Path, Part]] | None:
    """The parts within each label, where every label is divided: <label>/train/<image>."""
    found: dict[Path, dict[Path, Part]] = {}
    for label in map(_peek, base.folders):
        parts = {path: part for path in label.folders if (part := part_named(path.name))}
        if label.files or len(parts) < len(label.folders) or Part.TRAIN not in parts.values() or len(parts) < 2:
            return None
        found[label.path] = parts
    return found or None


def _walk_label(walk: _Walk, path: Path, top: str, part: Part | None) -> None:
    pending = [(path, top)]
    while pending:
        here, name = pending.pop()
        folder = walk.read(here)
        if not folder:
            continue
        if here != path and not folder.files and not folder.folders:
            walk.say(Severity.NOTE, "ignored", here, "an empty folder")
        if folder.files:
            walk.names.add(name)
            walk.deeper += len(folder.files) if here != path else 0
            if not why_no_label(name):
                walk.files += [LabelledFile(file, normalised(name), part) for file in folder.files]
        leaf = walk.labels_from is LabelsFrom.LEAF
        pending += [(inner, inner.name if leaf else name) for inner in reversed(folder.folders)]


def _say_unlabelled(walk: _Walk, base: Folder) -> None:
    for path in base.junk:
        walk.say(Severity.NOTE, "ignored", path, "hidden, or left behind by a system")
    for path in base.files:
        if path.suffix.lower() in SUFFIXES:
            walk.say(
                Severity.WARNING, "ignored", path, "no label: it lies beside the labels' folders; move it into one"
            )
        else:
            walk.say(Severity.NOTE, "ignored", path, "not a folder of images: no label")


def _depth(walk: _Walk) -> str:
    if not walk.deeper:
        return ""
    other = {
        LabelsFrom.TOP: "the top folder names them (--labels-from leaf: the innermost)",
        LabelsFrom.LEAF: "the innermost folder names them (--labels-from top: the first)",
    }
    return f"; {counted(walk.deeper, 'image')} deeper: {other[walk.labels_from]}"
