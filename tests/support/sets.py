"""Sets of images as people have them, in a few words: files by their paths, and a listing as plain text."""

from pathlib import Path

from training.sources.listing import Listing
from training.sources.listing import shown as shown_in


class Touch:
    """A folder in which files are made by naming them: touch("rose/1.jpg lily/2.jpg")."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def __call__(self, names: str, content: bytes | None = None) -> Path:
        for name in names.split():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode() if content is None else content)
        return self.root


def labelled(listing: Listing) -> dict[str, str]:
    """Path → label, and its part where it has one: `rose`, `rose train`."""
    return {shown_in(listing.root, file.path): f"{file.label} {file.part or ''}".strip() for file in listing.files}


def kinds(listing: Listing) -> set[tuple[str, str, str]]:
    return {(problem.severity, problem.kind, problem.path) for problem in listing.problems}
