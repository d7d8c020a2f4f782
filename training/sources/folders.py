"""IMAGE_DIR/<label>/<image>, also divided into train, validation and test, nested, or within one more folder.

It lists names only. What is no label, and why, comes out as problems; only what leaves nothing to read is raised.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from training.errors import DatasetError
from training.problems import Problem, Severity, counted, listed, why_unread
from training.sources.directories import Folder
from training.sources.layout import alike_within, inner_parts, known_table, parts_of, unwrapped
from training.sources.listing import LabelsFrom, Listing, Part, Reading, shown
from training.sources.names import (
    ARCHIVES,
    NOT_UNPACKED,
    SUFFIXES,
    bad_labels,
    is_junk,
    part_named,
    part_within,
    why_no_label,
)
from training.sources.rows import Table
from training.sources.tables import list_tables, read_table
from training.sources.walk import Walk

TABLES = {".csv", ".tsv", ".jsonl", ".json", ".manifest"}


def list_folder(root: Path, how: Reading) -> Listing:
    """List a folder in whichever layout it has. Raises DatasetError where nothing in it has a label."""
    base = unwrapped(_opened(root))
    if table := known_table(base):
        return _list_tables([(table, None)], root, base, how)
    parts = parts_of(base)
    tables = [(table, parts[path]) for path in parts if (table := known_table(unwrapped(Folder.peek(path))))]
    if tables:
        return _list_tables(tables, root, base, how)
    walk = Walk(root, base.path, how.labels_from)
    _say_around(walk, root, base)
    layout = _walk_parts(walk, base, parts) if parts else _walk_labels(walk, base)
    walk.finish()
    labels = {file.label for file in walk.files}
    only_parts = all(part_named(label) for label in labels)  # of images without a label, as competitions have them
    if (len(labels) < 2 or only_parts) and (found := _other_tables(base)):
        return _list_tables(found, root, base, how)
    if len(labels) > 1 and only_parts:
        raise DatasetError(
            f"{root} is divided into {', '.join(sorted(labels))}, and these hold images without labels: put the images into a "
            "folder for each label there, or give a table of path and label"
        )
    if not walk.files and not walk.names:
        ignored = [problem for problem in walk.problems if problem.severity is not Severity.NOTE]
        why = f" ({ignored[0].path}: {ignored[0].detail})" if ignored else ""
        raise DatasetError(
            f"{root} holds no labelled images{why}; put them at {root}/<label>/<image>, or give a table of path and label"
        )
    within = "" if base.path == root else f", within {shown(root, base.path)}"
    return Listing(
        root,
        f"{layout}{within}{_depth(walk)}",
        tuple(walk.files),
        (*walk.problems, *bad_labels(walk.names)),
    )


def _list_tables(tables: Sequence[tuple[Table, Part | None]], root: Path, base: Folder, how: Reading) -> Listing:
    """List what the tables in a folder name, and say which images in it they do not name."""
    listing = list_tables(tables, root, how)
    named = {os.path.normpath(file.path) for file in listing.files}
    left = list[Problem]()

    def say_unread(error: OSError) -> None:
        left.append(Problem(Severity.ERROR, "forbidden", shown(root, Path(error.filename)), why_unread(error)))

    for here, folders, files in os.walk(base.path, onerror=say_unread):
        folders[:] = sorted(folder for folder in folders if not is_junk(folder))
        images = [name for name in files if Path(name).suffix.lower() in SUFFIXES and not is_junk(name)]
        if count := sum(os.path.normpath(Path(here) / name) not in named for name in images):
            detail = f"{counted(count, 'image')} to which no row of the table gives a label: not read"
            left.append(Problem(Severity.WARNING, "ignored", shown(root, Path(here)), detail))
    return replace(listing, problems=(*listing.problems, *left))


def _opened(root: Path) -> Folder:
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder; give one that holds a folder of images for each label")
    try:
        return Folder.read(root)
    except OSError as error:
        raise DatasetError(f"{root} {why_unread(error)}") from error


def _other_tables(base: Folder) -> list[tuple[Table, Part | None]]:
    """The one table in the folder, or one for each part."""
    found = [table for path in base.files if path.suffix.lower() in TABLES and (table := read_table(path))]
    parts = [part_within(table.path.stem) for table in found]
    if len(found) > 1 and (None in parts or len(set(parts)) < len(found)):
        tables = listed((str(table.path) for table in found), "table")
        raise DatasetError(f"{base.path} has no folders of labels but several tables; give one of them: {tables}")
    return list(zip(found, parts, strict=True))


def _walk_parts(walk: Walk, base: Folder, parts: Mapping[Path, Part]) -> str:
    _say_unlabelled(walk, base)
    for path in base.folders:
        if path not in parts:
            walk.say(Severity.WARNING, "ignored", path, "stands beside the parts of a divided set, so it is no label")
    for path, part in parts.items():
        inner = unwrapped(Folder.peek(path))
        _say_around(walk, path, inner)
        _walk_labels(walk, inner, part)
    return f"<{'|'.join(path.name for path in parts)}>/<label>/<image>: divided by its folders"


def _walk_labels(walk: Walk, base: Folder, part: Part | None = None) -> str:
    """Walk through the folders of labels."""
    walk.enter(base.path)
    _say_unlabelled(walk, base)
    inner = None if part else inner_parts(base)
    for path in base.folders:
        if why_no_label(path.name):
            walk.names.add(path.name)
            continue
        walk.add_label(path, inner[path] if inner else {path: part})
    if not inner:
        if walk.labels_from is LabelsFrom.TOP and (names := alike_within(base)):
            detail = (
                f"each folder here holds the same ones ({listed(sorted(names), 'folder')}): if these are the labels, say --labels-from "
                "leaf; if the outer ones divide the set, name them train, validation and test"
            )
            walk.say(Severity.WARNING, "layout", base.path, detail)
        return "<label>/<image>"
    return f"<label>/<{'|'.join(sorted({path.name for paths in inner.values() for path in paths}))}>/<image>: divided by its folders"


def _say_around(walk: Walk, top: Path, base: Folder) -> None:
    """Say which links lead nowhere in the folders that hold one other."""
    for path in base.path.relative_to(top).parents:
        walk.say_broken(Folder.peek(top / path))


def _say_unlabelled(walk: Walk, base: Folder) -> None:
    walk.say_left(base)
    for path in base.files:
        if path.suffix.lower() in ARCHIVES:
            walk.say(Severity.WARNING, "ignored", path, NOT_UNPACKED)
        elif path.suffix.lower() in SUFFIXES:
            walk.say(
                Severity.WARNING, "ignored", path, "no label: it lies beside the labels' folders; move it into one"
            )
        else:
            walk.say(Severity.NOTE, "ignored", path, "not a folder of images: no label")


def _depth(walk: Walk) -> str:
    if not walk.deeper:
        return ""
    other = {
        LabelsFrom.TOP: "the top folder names them (--labels-from leaf: the innermost)",
        LabelsFrom.LEAF: "the innermost folder names them (--labels-from top: the first)",
    }
    return f"; {counted(walk.deeper, 'image')} deeper: {other[walk.labels_from]}"
