import sqlite3
from dataclasses import replace
from pathlib import Path

from model.image import PREPROCESSING
from training.pictures import Picture, PictureCache

BEFORE_HASHES = (
    "CREATE TABLE pictures (digest TEXT, preprocessing TEXT, pixels TEXT, width INTEGER, height INTEGER, "
    "damage TEXT, PRIMARY KEY (digest, preprocessing))"
)
PICTURE = Picture("pixels", 40, 30, None)


def test_a_picture_comes_back_as_it_was(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path / "features.sqlite")
    cache.put("some", replace(PICTURE, hash=b"\x01" * 32))
    cache.put("plain", replace(PICTURE, hash=b""))
    cache.flush()
    assert cache.pictures() == {"some": replace(PICTURE, hash=b"\x01" * 32), "plain": replace(PICTURE, hash=b"")}


def test_a_cache_that_is_older_than_hashes_goes_on_without_them(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "features.sqlite")
    database.execute(BEFORE_HASHES)
    database.execute("INSERT INTO pictures VALUES ('old', ?, 'pixels', 40, 30, NULL)", (PREPROCESSING,))
    database.commit()
    database.close()
    for _ in range(2):
        cache = PictureCache(tmp_path / "features.sqlite")
        assert cache.pictures()["old"] == PICTURE
        cache.close()
    cache = PictureCache(tmp_path / "features.sqlite")
    cache.put("old", replace(PICTURE, hash=b"\x01" * 32))
    cache.flush()
    assert cache.pictures()["old"].hash == b"\x01" * 32
