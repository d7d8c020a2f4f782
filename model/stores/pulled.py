"""Files of a remote store on this machine's disk: whole or not at all, whoever is killed, whoever else may write there."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from model.errors import StoreForbidden

PART = ".part-"  # what a file's name begins with until it is whole


def own_cache() -> Path:
    """The folder under the temporary directory that belongs to this user alone; made if need be. Raises StoreForbidden.

    Its name is no secret, so another user could have made it first, to put files there or to have us follow a link.
    """
    user = os.getuid() if hasattr(os, "getuid") else "models"
    folder = Path(tempfile.gettempdir()) / f"recognition-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or (hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022)):
        raise StoreForbidden(
            f"{folder} may be written by others; remove it, or set MODEL_CACHE to a folder of your own"
        )
    return folder


@contextmanager
def draft(target: Path) -> Iterator[IO[bytes]]:
    """A new file beside `target`, to be renamed to it when it is whole; removed where it was not. It is locked meanwhile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix=PART, dir=target.parent, delete=False) as part:
        _lock(part)
        try:
            yield part
        finally:
            Path(part.name).unlink(missing_ok=True)


def remove_abandoned(directory: Path) -> None:
    """Remove the drafts of pulls that were killed: nobody holds their lock."""
    for path in directory.rglob(f"{PART}*"):
        try:
            with path.open("rb") as part:
                _lock(part)
                path.unlink()
        except OSError:  # still being written, or gone by now
            continue


def make_room(folder: Path) -> None:
    """Of the versions that were pulled before, keep the last one: Lambda's disk is small, and the others are in memory."""
    pulled = sorted(folder.glob("*"), key=_changed)
    for version in pulled[:-1]:
        shutil.rmtree(version, ignore_errors=True)


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:  # another process made room, too
        return 0.0


def _lock(file: IO[bytes]) -> None:
    """Lock an open file until it is closed or the process ends. Raises OSError where another process holds the lock."""
    try:
        import fcntl
    except ImportError:  # Windows: there an open file cannot be removed anyway
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
