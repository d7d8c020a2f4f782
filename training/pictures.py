"""What a file's content was found to be when it was decoded, kept beside its feature: a later run need not decode it again."""

from dataclasses import astuple, dataclass
from pathlib import Path
from threading import Lock

from model.image import PREPROCESSING
from training.database import explained, open_database

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS pictures (digest TEXT, preprocessing TEXT, pixels TEXT, width INTEGER, height INTEGER, "
    "damage TEXT, hash BLOB, PRIMARY KEY (digest, preprocessing))"
)
ADD_HASH = "ALTER TABLE pictures ADD COLUMN hash BLOB"  # for a file that is older than hashes
AT_ONCE = 500  # rows a commit; what an interruption loses is decoded once more


@dataclass(frozen=True)
class Picture:
    pixels: str  # SHA-256 of the decoded pixels: the picture's identity, whatever metadata its file holds
    width: int  # px
    height: int
    damage: str | None  # what the decoder mended, in its own words
    hash: bytes | None = None  # perceptual (training/near_duplicates.py); None: it was not computed


class PictureCache:
    """Pictures by the SHA-256 of a file's content. Threads may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: dict[str, Picture] = {}
        self._lock = Lock()
        self._database = open_database(path, SCHEMA)
        with explained(path):
            self._add_hashes()

    def _add_hashes(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")  # of two runs, one adds the column
        if "hash" not in {row[1] for row in self._database.execute("PRAGMA table_info(pictures)")}:
            self._database.execute(ADD_HASH)
        self._database.execute("COMMIT")

    def pictures(self) -> dict[str, Picture]:
        query = "SELECT digest, pixels, width, height, damage, hash FROM pictures WHERE preprocessing = ?"
        with explained(self.path), self._lock:
            return {digest: Picture(*rest) for digest, *rest in self._database.execute(query, (PREPROCESSING,))}

    def put(self, digest: str, picture: Picture) -> None:
        with self._lock:
            self._pending[digest] = picture
            full = len(self._pending) >= AT_ONCE
        if full:
            self.flush()

    def flush(self) -> None:
        with explained(self.path), self._lock:
            rows = [(digest, PREPROCESSING, *astuple(picture)) for digest, picture in self._pending.items()]
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                "INSERT OR REPLACE INTO pictures (digest, preprocessing, pixels, width, height, damage, hash) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._database.execute("COMMIT")
            self._pending.clear()

    def close(self) -> None:
        self.flush()
        self._database.close()
