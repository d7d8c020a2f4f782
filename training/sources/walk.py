"""The walk through folders of labels: each folder is read once, where it lies; what is reached through links comes last.

So a link never takes the images of a real folder, and their label, whichever of the two sorts first.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from training.problems import Problem, Severity, why_unread
from training.sources.directories import Folder
from training.sources.listing import LabelledFile, LabelsFrom, Part, shown
from training.sources.names import normalised, why_no_label


@dataclass(frozen=True)
class _Visit:
    path: Path
    name: str  # the label, as the folder spells it
    start: Path  # the folder of the label, or of its part, that it lies in
    part: Part | None


@dataclass
class Walk:
    """What was found so far, below `base`: the folder of the labels, or of the parts."""

    root: Path
    base: Path
    labels_from: LabelsFrom
    files: list[LabelledFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    names: set[str] = field(default_factory=set)  # labels, as the folders spell them
    deeper: int = 0  # images below <label>/<folder>
    _links: list[_Visit] = field(default_factory=list)  # folders that are reached through links: not yet read
    _seen: dict[tuple[int, int], str] = field(default_factory=dict)  # device, inode: the label that it has by a link
    _labels: list[Path] = field(default_factory=list)
    _filled: set[Path] = field(default_factory=set)  # folders with files

    def __post_init__(self) -> None:
        self._resolved = self.base.resolve()
        for path in (self._resolved, *self._resolved.parents):  # a link back to one of them leads in a circle
            self.enter(path)

    def say(self, severity: Severity, kind: str, path: Path, detail: str) -> None:
        self.problems.append(Problem(severity, kind, shown(self.root, path), detail))

    def say_left(self, folder: Folder) -> None:
        """Say what is not read of a folder."""
        for junk in folder.junk:
            self.say(Severity.NOTE, "ignored", junk, "hidden, or left behind by a system")
        self.say_broken(folder)

    def say_broken(self, folder: Folder) -> None:
        for path, why in folder.broken:
            self.say(Severity.ERROR, "unreadable", path, f"{why}: put what it stands for in its place, or remove it")

    def enter(self, path: Path) -> None:
        """Note that a folder needs no reading."""
        status = path.stat()
        self._seen[status.st_dev, status.st_ino] = ""

    def add_label(self, label: Path, parts: Mapping[Path, Part | None]) -> None:
        """Read a label's folders."""
        self._labels.append(label)
        for path, part in parts.items():
            self._visit(_Visit(path, label.name, path, part), linked=False)

    def finish(self) -> None:
        """Follow the links, and say which labels have nothing."""
        for visit in self._links:
            self._visit(visit, linked=True)
        filled = {above for path in self._filled for above in (path, *path.parents)}
        said = {problem.path for problem in self.problems}
        for path in self._labels:
            if path not in filled and shown(self.root, path) not in said:
                self.say(Severity.WARNING, "empty", path, "an empty folder: no label; add images, or remove it")

    def _visit(self, first: _Visit, *, linked: bool) -> None:
        pending = [first]
        leaf = self.labels_from is LabelsFrom.LEAF
        while pending:
            visit = pending.pop()
            if not linked and self._through_link(visit.path):
                self._links.append(visit)
                continue
            folder = self._read(visit.path, visit.name if linked else "")
            if not folder:
                continue
            deep = visit.path != visit.start
            if deep and not folder.files and not folder.folders:
                self.say(Severity.NOTE, "ignored", visit.path, "an empty folder")
            if folder.files:
                self._take(folder, visit, deep=deep)
            pending += [
                _Visit(inner, inner.name if leaf else visit.name, visit.start, visit.part)
                for inner in reversed(folder.folders)
            ]

    def _take(self, folder: Folder, visit: _Visit, *, deep: bool) -> None:
        self._filled.add(visit.path)
        self.names.add(visit.name)
        self.deeper += len(folder.files) if deep else 0
        if not why_no_label(visit.name):
            self.files += [LabelledFile(file, normalised(visit.name), visit.part) for file in folder.files]

    def _through_link(self, path: Path) -> bool:
        return Path(os.path.realpath(path)) != self._resolved / path.relative_to(self.base)

    def _read(self, path: Path, label: str) -> Folder | None:
        """Read a folder; None where it cannot be read, or was. `label`: what it has by a link, without which it is met once."""
        try:
            status = path.stat()
            first = self._seen.get((status.st_dev, status.st_ino))
            if label and first is not None:
                self._say_seen(path, label, first)
                return None
            self._seen[status.st_dev, status.st_ino] = label
            folder = Folder.read(path)
        except OSError as error:
            self.say(Severity.ERROR, "forbidden", path, why_unread(error))
            return None
        self.say_left(folder)
        return folder

    def _say_seen(self, path: Path, label: str, first: str) -> None:
        if first in {"", label}:
            detail = "a link to a folder that is read already: its images keep the label that they have there"
            self.say(Severity.WARNING, "ignored", path, detail)
        else:
            detail = (
                f"a link to a folder that {first!r} is linked to as well: a folder has one label; remove one of the two"
            )
            self.say(Severity.ERROR, "conflict", path, detail)
