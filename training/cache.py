"""The feature cache: one SQLite file that keeps every bottleneck once it is computed.

Each feature is committed on its own, so an interrupted run loses none that was finished; SQLite's locks let several runs
share the file. The key is the content's SHA-256 and the extractor's identity (backbone, weights, preprocessing, precision).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from training.errors import CacheError

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS features (extractor TEXT, digest TEXT, feature BLOB, PRIMARY KEY (extractor, digest))"
)
WAIT = 60  # seconds for another run's write; each takes far less


class FeatureCache:
    """Features float32 (D,) of one extractor, by content digest. Threads may share it."""

    def __init__(self, path: Path, extractor: str) -> None:
        self.path, self.extractor = path, extractor
        self._lock = Lock()
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")  # survives kill; a power cut may cost the last few
            self._database.execute(SCHEMA)

    def digests(self) -> set[str]:
        with self._explained(), self._lock:
            rows = self._database.execute("SELECT digest FROM features WHERE extractor = ?", (self.extractor,))
            return {digest for (digest,) in rows}

    def get(self, digest: str) -> NDArray[np.float32]:
        """Return the feature; raises KeyError where there is none."""
        with self._explained(), self._lock:
            query = "SELECT feature FROM features WHERE extractor = ? AND digest = ?"
            row = self._database.execute(query, (self.extractor, digest)).fetchone()
        if row is None:
            raise KeyError(digest)
        return np.frombuffer(row[0], np.float32)

    def put(self, digest: str, feature: NDArray[np.float32]) -> None:
        with self._explained(), self._lock:
            row = (self.extractor, digest, feature.astype(np.float32).tobytes())
            self._database.execute("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", row)

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise CacheError(
                f"the feature cache {self.path} cannot be used ({error}); delete it, or name another --bottleneck_dir"
            ) from error
