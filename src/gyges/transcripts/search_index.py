"""A run's full-text index: a file beside the run, which it never writes to. It can be deleted at any time.

It has a row for each finished episode, which never changes, and a column for each part of a transcript. The words
themselves are not in it: it says which episodes, and `search` says where. It is filled some episodes at a time,
each time in one transaction, so that what was stopped goes on where it was.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from math import inf
from pathlib import Path

from gyges.errors import StoreError, UsageError
from gyges.transcripts import schema, search
from gyges.transcripts.codec import stored
from gyges.transcripts.record import Outcome
from gyges.transcripts.search import PARTS, Query

SUFFIX = ".words"
"""Not the suffix of runs: it is none."""

AT_ONCE = 20_000_000
"""Characters that are taken in by one transaction."""

APPLICATION_ID = 0x67797773  # "gyws"

_BREAK = " \ue000 "
"""Stands between two texts: a word that nobody types, so that no phrase goes from one into the other."""

_SCHEMA = f"""
CREATE VIRTUAL TABLE words USING fts5({", ".join(PARTS)}, content='', columnsize=0,
  tokenize='unicode61 remove_diacritics 0')
;
CREATE TABLE taken(episode INTEGER PRIMARY KEY) STRICT
;
CREATE TABLE about(one INTEGER PRIMARY KEY CHECK (one = 1), run TEXT NOT NULL) STRICT
"""

Told = Callable[[int, int], None]
"""Is told how many episodes are in the index, of how many."""


def beside(run: Path) -> Path:
    """Where a run's index lies, or would."""
    return run.with_suffix(SUFFIX)


def fill(run: Path, told: Told | None = None) -> None:
    """Take every finished episode into the run's index that is not in it yet.

    What is not the index of this run is made anew. Raises StoreError where nothing can be written beside the run,
    or where another process is filling it.
    """
    index = beside(run)
    with schema.told(run), closing(schema.to_read(run)) as db:
        name = _identity(db)
        if _name(index) != name:
            _remove(index)
        with schema.told(index):
            words = _to_write(index, name)
            try:
                _fill(db, words, told or _nobody)
            finally:
                schema.leave(words)


def _nobody(_: int, __: int) -> None:
    pass


def _fill(db: sqlite3.Connection, words: sqlite3.Connection, told: Told) -> None:
    known = {number for (number,) in words.execute("SELECT episode FROM taken")}
    done = db.execute("SELECT number FROM episode WHERE outcome != ?", (Outcome.PENDING.value,))
    missing = sorted({number for (number,) in done} - known)
    of = len(known) + len(missing)
    told(len(known), of)
    pending, size = list[tuple[int | str, ...]](), 0
    for at, number in enumerate(missing, of - len(missing) + 1):
        row = _row(db, number)
        pending.append((number, *row))
        size += sum(map(len, row))
        if size > AT_ONCE:
            size = _take(words, pending)
            told(at, of)
    _take(words, pending)
    told(of, of)


def _take(words: sqlite3.Connection, rows: list[tuple[int | str, ...]]) -> int:
    words.execute("BEGIN IMMEDIATE")
    words.executemany(f"INSERT INTO words(rowid, {', '.join(PARTS)}) VALUES (?, ?, ?, ?, ?)", rows)
    words.executemany("INSERT INTO taken VALUES (?)", [row[:1] for row in rows])
    words.execute("COMMIT")
    rows.clear()
    return 0


def _row(db: sqlite3.Connection, number: int) -> list[str]:
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for said in search.texts(db, number):
        parts[said.part].append(stored(said.words))
    return [_BREAK.join(said) for said in parts.values()]


class SearchIndex:
    """An index, opened to be read; of one that is missing or another run's, nothing is in it."""

    def __init__(self, db: sqlite3.Connection, run: Path) -> None:
        """`db` is the run's own connection."""
        self._path = beside(run)
        self._db = _to_read(self._path) if _name(self._path) == _identity(db) else None

    def close(self) -> None:
        if self._db:
            self._db.close()

    def end_at(self, deadline: float) -> None:
        """Whatever it is still looking for then (by the monotonic clock) ends with a StoreError."""
        if self._db:
            self._db.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)

    def count(self) -> int:
        """How many episodes are in it."""
        return int(self._db.execute("SELECT count(*) FROM taken").fetchone()[0]) if self._db else 0

    def taken(self) -> set[int]:
        """The numbers of these episodes."""
        return {number for (number,) in self._db.execute("SELECT episode FROM taken")} if self._db else set()

    def find(self, query: Query) -> set[int]:
        """The numbers of the episodes that hold the words. Raises UsageError for what is no expression."""
        asked = query.expression()
        if self._db is None or asked is None:
            return set()
        try:
            return {
                number for (number,) in self._db.execute("SELECT rowid FROM words WHERE words MATCH ?", (asked,))
            }
        except sqlite3.Error as error:
            match getattr(error, "sqlite_errorcode", 0) & 0xFF:
                case sqlite3.SQLITE_ERROR:
                    what = f"{query.text!r} is no search expression ({error})"
                    raise UsageError(what, "search for it literally") from error
                case sqlite3.SQLITE_INTERRUPT:
                    raise schema.explained(self._path, error) from error
            to_do = f"remove {self._path.name}; it is made anew"
            raise StoreError(f"the search index can't be read ({error})", to_do) from error


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of the episodes that hold the words; how many were looked at, of how many."""

    episodes: set[int]
    looked_at: int
    of: int


def find(db: sqlite3.Connection, index: SearchIndex, query: Query, patience: float = inf) -> Found:
    """Ask the index, and look through the episodes that are not in it, for `patience` seconds at the most.

    With an expression only what is in the index is searched.
    """
    (of,) = db.execute("SELECT count(*) FROM episode").fetchone()
    asked = query.expression() is not None
    found, known = (index.find(query), index.count()) if asked else (set(), 0)
    rest = _rest(db, index.taken() if asked else set()) if known < of and query.literal else []
    ends = time.monotonic() + patience
    for number, holds in search.looked_through(db, rest, query):
        known += 1
        if holds:
            found.add(number)
        if time.monotonic() > ends:
            break
    return Found(found, known, of)


def _rest(db: sqlite3.Connection, taken: set[int]) -> list[int]:
    return [number for (number,) in db.execute("SELECT number FROM episode") if number not in taken]


# The file


def _identity(db: sqlite3.Connection) -> str:
    """Which run it is: its name and when it was made."""
    found = db.execute("SELECT manifest ->> '$.run', manifest ->> '$.created' FROM run").fetchone()
    return "\n".join(map(str, found or ()))


def _name(index: Path) -> str | None:
    """Of which run the file is an index; None for what is none, or is not as this version makes them."""
    if not index.is_file():
        return None
    try:
        with closing(_to_read(index)) as db:
            (application,) = db.execute("PRAGMA application_id").fetchone()
            if application != APPLICATION_ID or set(_tables(db)) != set(_ours()):
                return None
            return str(db.execute("SELECT run FROM about").fetchone()[0])
    except (sqlite3.Error, TypeError):
        return None


def _tables(db: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    yield from db.execute("SELECT name, coalesce(sql, '') FROM sqlite_schema")


@cache
def _ours() -> list[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        _make(db, "")
        return list(_tables(db))


def _make(db: sqlite3.Connection, name: str) -> None:
    db.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA.split("\n;\n"):
        db.execute(statement)
    db.execute("INSERT INTO about VALUES (1, ?)", (name,))
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("COMMIT")


def _to_read(index: Path) -> sqlite3.Connection:
    return _connect(index, "ro")


def _to_write(index: Path, name: str) -> sqlite3.Connection:
    new = not index.is_file()
    db = _connect(index, "rwc")
    # A reader never waits for a writer.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -16000"):
        db.execute(f"PRAGMA {pragma}")
    if new:
        _make(db, name)
    return db


def _connect(index: Path, mode: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{index.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "busy_timeout = 2000"):
        db.execute(f"PRAGMA {pragma}")
    return db


def _remove(index: Path) -> None:
    for path in (index, *(index.with_name(index.name + end) for end in ("-wal", "-shm", "-journal"))):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{path} can't be replaced ({error.strerror})", "remove it") from error
