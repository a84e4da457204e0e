"""The tables of a run's file, their numbered migrations, and how the file is opened. It knows no value types.

`application_id` says that a SQLite file is a run of gyges, `user_version` which schema it has. A file of a newer
schema is refused; one of an older schema can be read, and is copied and then migrated by the next writer.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

from gyges.errors import StoreError
from gyges.transcripts import journal
from gyges.transcripts.failpoint import reach

Durability = Literal["process", "power"]
"""What an acknowledged row survives: the death of the process, or also a loss of power."""

Migration = Callable[[sqlite3.Connection], None]

APPLICATION_ID = 0x67796765  # "gyge"

_V1 = """
CREATE TABLE run(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  manifest TEXT NOT NULL,
  sha256 BLOB NOT NULL
) STRICT;

CREATE TABLE plan(
  sha256 BLOB PRIMARY KEY,
  family TEXT NOT NULL, scenario TEXT NOT NULL, variant TEXT NOT NULL, context TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE episode(
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  agent TEXT NOT NULL, scenario TEXT NOT NULL, variant TEXT NOT NULL, sample INTEGER NOT NULL,
  context TEXT NOT NULL,
  family TEXT NOT NULL,
  outcome TEXT NOT NULL, reason TEXT NOT NULL,
  started REAL NOT NULL, ended REAL NOT NULL,
  model TEXT NOT NULL,
  labels TEXT NOT NULL, metadata TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  UNIQUE (agent, scenario, variant, sample, context)
) STRICT;

-- What was said, block by block: the address of a quotation is (episode, message, channel, block).
CREATE TABLE block(
  number INTEGER PRIMARY KEY,
  episode INTEGER NOT NULL REFERENCES episode(number) ON DELETE CASCADE,
  message INTEGER NOT NULL,
  channel TEXT NOT NULL CHECK (channel IN ('text', 'reasoning')),
  block INTEGER NOT NULL,
  role TEXT NOT NULL,
  text TEXT,
  signal TEXT, replay TEXT,
  visibility TEXT, source TEXT, tokens INTEGER, closed INTEGER,
  UNIQUE (episode, message, channel, block)
) STRICT;

-- Append-only. Episodes are named, not referenced: a call is stored before its episode is.
CREATE TABLE call(
  number INTEGER PRIMARY KEY,
  episode TEXT NOT NULL,
  ordinal INTEGER NOT NULL, attempt INTEGER NOT NULL,
  request BLOB NOT NULL, response BLOB,
  status INTEGER, error TEXT NOT NULL,
  sent REAL NOT NULL, received REAL,
  headers TEXT NOT NULL,
  sha256 BLOB NOT NULL
) STRICT;
CREATE INDEX call_of_episode ON call(episode, ordinal);

CREATE TABLE grade_set(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE grade(
  number INTEGER PRIMARY KEY,
  grade_set INTEGER NOT NULL REFERENCES grade_set(number),
  episode TEXT NOT NULL REFERENCES episode(id),
  question TEXT NOT NULL, grader TEXT NOT NULL, version TEXT NOT NULL,
  answer TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  UNIQUE (grade_set, episode, question, grader)
) STRICT;
"""


def _first(connection: sqlite3.Connection) -> None:
    for statement in _V1.split(";\n"):
        connection.execute(statement)


# Stays empty: the full-text index is a file of its own now, so that a run is never written to by who reads it.
_V2 = """
CREATE VIRTUAL TABLE search USING fts5(text, content='block', content_rowid='number',
  tokenize='unicode61 remove_diacritics 0');

CREATE TABLE searchable(episode INTEGER PRIMARY KEY REFERENCES episode(number)) STRICT;
"""


def _second(connection: sqlite3.Connection) -> None:
    for statement in _V2.split(";\n"):
        connection.execute(statement)


# Append-only, like calls, and written before them: an intent without its call was sent, and nobody heard of it.
_V3 = """
CREATE TABLE intent(
  number INTEGER PRIMARY KEY,
  episode TEXT NOT NULL,
  ordinal INTEGER NOT NULL, attempt INTEGER NOT NULL,
  sent REAL NOT NULL
) STRICT;
"""


WITH_INTENTS = 3
"""Runs of older schemas have none."""


def _third(connection: sqlite3.Connection) -> None:
    for statement in _V3.split(";\n"):
        connection.execute(statement)


WITH_TOOLS = 4
"""In runs of older schemas no tool was called."""


def _fourth(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE block ADD COLUMN tools TEXT")


WITH_FORKS = 5
"""In runs of older schemas no episode is a fork."""


def _fifth(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE episode ADD COLUMN fork TEXT")


# What a set of grades says of itself, and how each judged grade came about. NULL in sets of before.
_V6 = """
ALTER TABLE grade_set ADD COLUMN about TEXT;
ALTER TABLE grade_set ADD COLUMN about_sha256 BLOB;

CREATE TABLE judgement(
  number INTEGER PRIMARY KEY,
  grade INTEGER NOT NULL UNIQUE REFERENCES grade(number),
  record TEXT NOT NULL,
  sha256 BLOB NOT NULL
) STRICT;
"""

WITH_JUDGEMENTS = 6
"""In runs of older schemas nothing was judged by a model."""


def _sixth(connection: sqlite3.Connection) -> None:
    for statement in _V6.split(";\n"):
        connection.execute(statement)


"""In runs of older schemas no plan has a world."""


def _seventh(connection: sqlite3.Connection) -> None:
    """The tables stay: the number alone keeps older versions from reading a world as if there were none."""


# What was handed to a provider as a batch. Only name, stage and why change.
_V8 = """
CREATE TABLE batch(
  number INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  agent TEXT NOT NULL,
  calls TEXT NOT NULL,
  sent REAL NOT NULL,
  name TEXT NOT NULL, stage TEXT NOT NULL, why TEXT NOT NULL
) STRICT;
"""

WITH_BATCHES = 8
"""In runs of older schemas every call was made by itself."""


def _eighth(connection: sqlite3.Connection) -> None:
    for statement in _V8.split(";\n"):
        connection.execute(statement)


MIGRATIONS: tuple[Migration, ...] = (_first, _second, _third, _fourth, _fifth, _sixth, _seventh, _eighth)
"""`MIGRATIONS[n]` leads from schema n to schema n + 1."""


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the schema to the newest version, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    for step in migrations[version(connection) :]:
        step(connection)
        reach("migration-step")
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("COMMIT")


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def new(path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> sqlite3.Connection:
    """An empty run at `path`, which must not exist, without a journal: it is not yet anybody's."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection, migrations)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def publish(temporary: Path, path: Path) -> None:
    """Give a finished file its name: on the disk first, so that there is never half a run."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def to_write(path: Path, durability: Durability = "process") -> sqlite3.Connection:
    """The one connection that writes, to be used by any one thread at a time. The caller holds the lock.

    Raises StoreError for anything that is not a run of this or an older schema.
    """
    found = _known(path)
    with told(path):
        connection = _connect(path, "rw")
        with _closed_on_failure(connection):
            journal.keep(connection, path)
            connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
            connection.execute("PRAGMA foreign_keys = ON")
            if found < len(MIGRATIONS):
                _keep_copy(connection, path.with_name(f"{path.name}.schema-{found}"))
                reach("copy-kept")
                migrate(connection)
                reach("migration-done")
    return connection


def _keep_copy(connection: sqlite3.Connection, path: Path) -> None:
    """As SQLite sees it, with what is still in the log; under its name only when it is whole."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(part),))
    part.replace(path)


def to_read(path: Path) -> sqlite3.Connection:
    """A connection that can't write. Raises StoreError for anything that is not a run this version can read."""
    _known(path)
    with told(path):
        connection = _connect(path, "ro")
        with _closed_on_failure(connection):
            connection.execute("PRAGMA query_only = ON")
    return connection


def leave(connection: sqlite3.Connection) -> None:
    """Close a writer's connection so that one plain file remains, unless a reader is still there."""
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        # First of all everything into the file itself: whoever copies a closed run copies this file.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error:
        pass  # A reader holds the log, or the disk is full. The log stays beside the file; nothing is lost.
    finally:
        connection.close()


def _connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    # One thread at a time uses it, but not always the same one.
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    for pragma in ("busy_timeout = 5000", "trusted_schema = OFF", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _known(path: Path) -> int:
    """The schema's number. Raises StoreError unless it is a run whose tables are exactly ours."""
    if not path.is_file():
        raise StoreError(f"there is no run at {path}", "`gyges show` lists the runs of this study")
    with told(path):
        connection = _connect(path, "ro")
        with _closed_on_failure(connection):
            application = _application(connection, path)
            found = version(connection)
            tables = _tables(connection)
        connection.close()
    if application != APPLICATION_ID or found < 1:
        raise StoreError(f"{path} is not a run of gyges", "to read transcripts of other tools: `gyges import`")
    if found > len(MIGRATIONS):
        raise StoreError(f"{path} was written by a newer gyges (schema {found})", "upgrade gyges to read it")
    if tables != _ours(found):
        raise StoreError(
            f"the tables of {path} are not those that gyges makes", "don't trust it; restore it from a copy"
        )
    return found


def _application(connection: sqlite3.Connection, path: Path) -> int:
    """The file's application_id. A process that was killed just as it closed the run leaves a journal that
    readers may not roll back: a writer does it, as it would at the next resume."""
    try:
        (found,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise
        writing = _connect(path, "rw")
        writing.execute("PRAGMA application_id").fetchone()
        writing.close()
        (found,) = connection.execute("PRAGMA application_id").fetchone()
    return int(found)


def _tables(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    """Everything in the schema that could compute something when it is read: tables, views, triggers."""
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE type != 'index'")
    return {(kind, name, sql) for kind, name, sql in rows if not name.startswith("sqlite_")}


@cache
def _ours(number: int) -> set[tuple[str, str, str]]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, MIGRATIONS[:number])
    tables = _tables(connection)
    connection.close()
    return tables


@contextmanager
def _closed_on_failure(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into StoreError that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise explained(path, error) from error


def explained(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_NOTADB:
            return StoreError(f"{path} is not a run of gyges", "it is no SQLite file, or its start is damaged")
        case sqlite3.SQLITE_CORRUPT:
            return StoreError(f"{path} is damaged ({error})", "restore it from a copy; nothing was changed")
        case sqlite3.SQLITE_FULL:
            return StoreError(f"no space left for {path}", "free some space on its disk, then `gyges resume`")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(f"{path} is in use by another program", "close that program and try again")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreError(
                f"{path} can't be opened ({error})", "check the permissions of the file and its folder"
            )
        case sqlite3.SQLITE_INTERRUPT:
            return StoreError("that took too long and was given up", "ask for less: more words, or rarer ones")
        case sqlite3.SQLITE_IOERR:
            return StoreError(f"{path} can't be read or written ({error})", "check its disk and the free space")
        case _:
            return StoreError(f"{path}: {error}", "`gyges verify` says whether the file is sound")
