"""What a run has done so far, in one SQLite file beside its results: killed at any moment, the next run goes on from there.

An answer is kept under the model and the tag of the content, so that a later run over other places, or more images, names
only what is new. An error is kept for this run alone: the next one tries again. The images of a run wait here too, so that memory
holds none of them, however many there are.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import click
import msgspec

from ops.bulk.items import Item
from ops.bulk.naming import Named
from serving.schemas import Result

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (position INTEGER PRIMARY KEY, name BLOB, tag TEXT, error BLOB);
CREATE TABLE IF NOT EXISTS answers (model TEXT, tag TEXT, result BLOB, PRIMARY KEY (model, tag)) WITHOUT ROWID;
"""
PAGE = 1000  # images that are read from the file at a time
COUNT = "SELECT count(*) FROM items LEFT JOIN answers ON model = ? AND items.tag = answers.tag WHERE result IS NULL AND error IS NULL"
TO_DO = (
    "SELECT position, name, items.tag FROM items LEFT JOIN answers ON model = ? AND items.tag = answers.tag "
    "WHERE result IS NULL AND error IS NULL AND position > ? ORDER BY position LIMIT ?"
)
RESULTS = (
    "SELECT position, name, coalesce(error, result) FROM items LEFT JOIN answers ON model = ? AND items.tag = answers.tag "
    "WHERE position > ? ORDER BY position LIMIT ?"
)


class Journal:
    """The journal of one model in one file, which no other run may use meanwhile. Threads may share it."""

    def __init__(self, path: Path, model: str) -> None:
        self._model, self._lock = model, Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")  # survives kill; a power cut may cost the last few
            self._database.executescript(SCHEMA)
        except (sqlite3.Error, OSError) as error:
            what = "another run is writing it" if "locked" in str(error) else f"{error}; delete it"
            raise click.ClickException(f"the journal {path} cannot be used: {what}") from error

    def begin(self, items: Iterable[Item]) -> int:
        """List a run's images anew; return how many there are."""
        rows = ((os.fsencode(item.name), item.tag) for item in items)
        with self._lock:
            self._database.execute("BEGIN")
            self._database.execute("DELETE FROM items")
            self._database.executemany("INSERT INTO items (name, tag) VALUES (?, ?)", rows)
            self._database.execute("COMMIT")
        return self._count("SELECT count(*) FROM items")

    def missing(self) -> int:
        return self._count(COUNT, self._model)

    def to_do(self) -> Iterator[tuple[int, Item]]:
        """The images that have no answer yet, by their positions; others may be recorded meanwhile."""
        for position, name, tag in self._pages(TO_DO):
            yield position, Item(os.fsdecode(name), tag)

    def __contains__(self, tag: object) -> bool:
        return bool(self._rows("SELECT 1 FROM answers WHERE model = ? AND tag = ?", self._model, tag))

    def tags(self) -> frozenset[str]:
        return frozenset(tag for (tag,) in self._rows("SELECT tag FROM answers WHERE model = ?", self._model))

    def record(self, position: int, named: Named) -> None:
        result = named.result
        if result and result.error:
            error = msgspec.json.encode(result)
            self._write("UPDATE items SET tag = ?, error = ? WHERE position = ?", named.tag, error, position)
            return
        if result:
            answer = (self._model, named.tag, msgspec.json.encode(result))
            self._write("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", *answer)
        self._write("UPDATE items SET tag = ? WHERE position = ?", named.tag, position)

    def results(self) -> Iterator[tuple[str, Result]]:
        """Every image of the run with its result, in the order of its listing."""
        for _, name, result in self._pages(RESULTS):
            yield os.fsdecode(name), msgspec.json.decode(result, type=Result)

    def failures(self) -> int:
        return self._count("SELECT count(*) FROM items WHERE error IS NOT NULL")

    def close(self) -> None:
        self._database.close()

    def _pages(self, query: str) -> Iterator[tuple[Any, ...]]:
        last = 0
        while rows := self._rows(query, self._model, last, PAGE):
            yield from rows
            last = rows[-1][0]

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def _count(self, query: str, *values: object) -> int:
        return int(self._rows(query, *values)[0][0])

    def _write(self, statement: str, *values: object) -> None:
        with self._lock:
            self._database.execute(statement, values)
