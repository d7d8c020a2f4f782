"""Decoded images that are needed once more before the run ends, in a temporary file instead of in memory.

The file has no name, so nothing stays behind, whatever ends the process. What does not fit is decoded again by whoever asks.
"""

import os
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from model.image import SIDE

SHAPE = (SIDE, SIDE, 3)
IMAGE_BYTES = SIDE * SIDE * 3
MAX_IMAGES = 16_000  # 4.3 GB of disk


class Spool:
    """Images (299, 299, 3) by content digest. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 - closed when nobody has the spool any more
        finalize(self, self._file.close)
        self._places: dict[str, int] = {}
        self._lock = Lock()

    def put(self, digest: str, tensor: NDArray[np.uint8]) -> None:
        with self._lock:
            if digest in self._places or len(self._places) == MAX_IMAGES:
                return
            place = self._places[digest] = len(self._places)
        os.pwrite(self._file.fileno(), tensor.tobytes(), place * IMAGE_BYTES)

    def get(self, digest: str) -> NDArray[np.uint8] | None:
        place = self._places.get(digest)
        if place is None:
            return None
        data = os.pread(self._file.fileno(), IMAGE_BYTES, place * IMAGE_BYTES)
        return np.frombuffer(data, np.uint8).reshape(SHAPE)
