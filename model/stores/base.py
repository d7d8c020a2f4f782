"""What a store of models is: its protocol, and the names that may stand in it.

A version without its manifest does not exist. Nothing here knows a folder or a bucket.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from model.manifest import Manifest

NAME = re.compile(r"(?![0-9]+$)[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # a number alone would be taken for a version
VERSION = re.compile(r"[1-9][0-9]{0,8}")
ALIASES = "aliases"  # the folder beside a model's versions

Progress = Callable[[int], None]  # called with the bytes done since the last call


def no_progress(_: int) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class AliasFile:
    """What an alias's file holds (model/stores/aliases.py), and a tag that changes whenever it does."""

    content: bytes
    tag: str


class Store(Protocol):
    """A place for models. Its methods raise ModelError for what is kept there and StoreError for the place itself."""

    uri: str

    def versions(self) -> dict[str, list[int]]:
        """Every model's complete versions, ascending, by name."""
        ...

    def read_manifest(self, name: str, version: int) -> Manifest: ...

    def pull(self, name: str, version: int, manifest: Manifest, paths: list[str], cache: Path | None) -> Path:
        """Return a local directory that holds these files of the version, their digests verified."""
        ...

    def publish(self, directory: Path, manifest: Manifest, progress: Progress = no_progress) -> int:
        """Keep a finished version directory for good; return the number it got, one above the last."""
        ...

    def remove(self, name: str, version: int) -> None:
        """Remove a version for good: its manifest first, so that no half of it is ever seen."""
        ...

    def aliases(self, name: str) -> list[str]: ...

    def read_alias(self, name: str, alias: str) -> AliasFile | None: ...

    def write_alias(self, name: str, alias: str, content: bytes, seen: AliasFile | None) -> bool:
        """Replace the file whole, unless it is no longer what was seen; tell whether it was written."""
        ...
