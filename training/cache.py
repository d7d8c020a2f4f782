"""The feature cache: one SQLite file that keeps every bottleneck once it is computed.

Each feature is committed on its own, so an interrupted run loses none that was finished; SQLite's locks let several runs
share the file. The key is the content's SHA-256 and the extractor's identity (backbone, weights, preprocessing, precision).
A feature is kept with a CRC-32 of it and its key: one that is damaged counts as missing, and is computed again.
"""

from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from training.database import explained, open_database
from training.errors import CacheError

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS features (extractor TEXT, digest TEXT, feature BLOB, PRIMARY KEY (extractor, digest))"
)
CRC_BYTES = 4  # after the float32 values, big-endian


class FeatureCache:
    """Features float32 (D,) of one extractor, by content digest. Threads may share it."""

    def __init__(self, path: Path, extractor: str) -> None:
        self.path, self.extractor = path, extractor
        self._lock = Lock()
        self._database = open_database(path, SCHEMA)

    def digests(self) -> set[str]:
        """The contents whose feature is there and sound."""
        with explained(self.path), self._lock:
            rows = self._database.execute("SELECT digest, feature FROM features WHERE extractor = ?", (self.extractor,))
            return {digest for digest, kept in rows if self._sound(digest, kept) is not None}

    def get(self, digest: str) -> NDArray[np.float32]:
        """Return the feature; raises KeyError where there is none, or a damaged one."""
        with explained(self.path), self._lock:
            query = "SELECT feature FROM features WHERE extractor = ? AND digest = ?"
            row = self._database.execute(query, (self.extractor, digest)).fetchone()
        feature = self._sound(digest, row[0]) if row else None
        if feature is None:
            raise KeyError(digest)
        return feature

    def read(self, digests: Iterable[str]) -> NDArray[np.float32]:
        """Return features (N, D) that are known to be there."""
        try:
            return np.stack([self.get(digest) for digest in digests])
        except KeyError as error:
            raise CacheError(f"the feature cache {self.path} is damaged; delete it, and run again") from error

    def put(self, digest: str, feature: NDArray[np.float32]) -> None:
        values = feature.astype("<f4").tobytes()
        with explained(self.path), self._lock:
            row = (self.extractor, digest, values + self._checksum(digest, values))
            self._database.execute("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", row)

    def close(self) -> None:
        self._database.close()

    def _checksum(self, digest: str, values: bytes) -> bytes:
        return crc32(values, crc32(f"{self.extractor} {digest}".encode())).to_bytes(CRC_BYTES)

    def _sound(self, digest: str, kept: object) -> NDArray[np.float32] | None:
        """What was put, or None where these are not the bytes that were written, or not under this key."""
        if not isinstance(kept, bytes) or len(kept) <= CRC_BYTES:
            return None
        values, checksum = kept[:-CRC_BYTES], kept[-CRC_BYTES:]
        if self._checksum(digest, values) != checksum:
            return None
        feature = np.frombuffer(values, "<f4")
        return feature if np.isfinite(feature).all() else None
