"""What one directory holds, by its entries' names and kinds; no file in it is opened."""

import os
from dataclasses import dataclass
from pathlib import Path

from training.sources.names import SUFFIXES, is_junk


@dataclass(frozen=True)
class Folder:
    """A directory's entries, sorted by name; what systems leave behind is set apart, and so are links that lead nowhere."""

    path: Path
    folders: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    junk: tuple[Path, ...] = ()
    broken: tuple[tuple[Path, str], ...] = ()  # a link, and why it cannot be followed

    @classmethod
    def read(cls, path: Path) -> "Folder":
        """Raises OSError."""
        folders: list[Path] = []
        files: list[Path] = []
        junk: list[Path] = []
        broken: list[tuple[Path, str]] = []
        with os.scandir(path) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if is_junk(entry.name):
                    junk.append(path / entry.name)
                elif why := _why_broken(entry):
                    broken.append((path / entry.name, why))
                else:
                    (folders if entry.is_dir() else files).append(path / entry.name)
        return cls(path, tuple(folders), tuple(files), tuple(junk), tuple(broken))

    @classmethod
    def peek(cls, path: Path) -> "Folder":
        """Look into a folder; one that cannot be read is empty here, and said so by the walk."""
        try:
            return cls.read(path)
        except OSError:
            return cls(path)

    @property
    def images(self) -> list[Path]:
        return [path for path in self.files if path.suffix.lower() in SUFFIXES]


def _why_broken(entry: os.DirEntry[str]) -> str | None:
    if not entry.is_symlink():
        return None
    try:
        entry.stat()
    except OSError as error:  # it leads nowhere, in a circle, or where nobody may look
        return f"a link to {str(Path(entry.path).readlink())!r} that cannot be followed ({error.strerror})"
    return None
