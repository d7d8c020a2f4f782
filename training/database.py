"""The SQLite file that runs share: opened one way, and its faults told in one sentence with the remedy."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import CacheError

WAIT = 60  # seconds for another run's write; each takes far less


def open_database(path: Path, schema: str) -> sqlite3.Connection:
    """Open the file, made if need be, with this table in it. Threads may share the connection behind a lock. Raises CacheError."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")  # survives kill; a power cut may cost the last few
        database.execute(schema)
    return database


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors, and the disk's, into CacheError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise CacheError(
            f"the feature cache {path} cannot be used ({error}); delete it, or name another --bottleneck_dir"
        ) from error
