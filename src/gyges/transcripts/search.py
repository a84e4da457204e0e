"""Words in transcripts: SQLite's full-text index, and a plain look at what is not in it yet. It opens no file.

What a user types is taken literally: its words, in this order, the last one perhaps only begun, whatever stands
between them and in whatever case. No character of it is syntax.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from gyges.errors import UsageError
from gyges.transcripts.codec import original, stored
from gyges.transcripts.grades import Channel
from gyges.transcripts.record import Outcome, Role
from gyges.transcripts.schema import version

Part = Literal["prompts", "reasoning", "answers"]

LONGEST = 500
"""Characters of a query."""

INDEXED = 2
"""The schema that brought the index."""

_AROUND = 60
_SLICE = 200
_PARTS: dict[Part | None, str] = {
    None: "1",
    "prompts": "block.channel = 'text' AND block.role IN ('system', 'user', 'tool')",
    "reasoning": "block.channel = 'reasoning'",
    "answers": "block.channel = 'text' AND block.role = 'assistant'",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where the words stand: the address of a quotation, the words themselves and what is around them."""

    episode: str
    message: int
    channel: Channel
    block: int
    role: Role
    start: int
    end: int
    before: str
    found: str
    after: str


def index(db: sqlite3.Connection) -> int:
    """Take some more finished episodes into the index; how many. 0 when all of them are in it."""
    numbers = db.execute(
        "SELECT number FROM episode WHERE outcome != ? AND number NOT IN (SELECT episode FROM searchable) LIMIT ?",
        (Outcome.PENDING.value, _SLICE),
    ).fetchall()
    take = "INSERT INTO search(rowid, text) SELECT number, text FROM block WHERE episode = ? AND text IS NOT NULL"
    db.executemany(take, numbers)
    db.executemany("INSERT INTO searchable VALUES (?)", numbers)
    return len(numbers)


def search(
    db: sqlite3.Connection, text: str, literal: bool = True, part: Part | None = None, limit: int = 100
) -> Iterator[Hit]:
    """At most `limit` hits, one a block, in the order in which episodes were stored.

    With `literal=False` the text is an expression of FTS5 (AND, OR, NOT, NEAR, a star), and only what is in the
    index is searched. Raises UsageError for a text that says nothing, is too long, or is no expression.
    """
    if not text.strip() or len(text) > LONGEST:
        raise UsageError(
            "the search is empty" if not text.strip() else "the search is too long", "give a few words"
        )
    yield from islice(_literal(db, text, part) if literal else _expression(db, text, part), limit)


_ALL = (
    "SELECT episode.id, block.message, block.channel, block.block, block.role, block.text"
    " FROM block JOIN episode ON episode.number = block.episode WHERE {} ORDER BY block.number"
)
_INDEXED = (
    "SELECT episode.id, block.message, block.channel, block.block, block.role, block.text"
    " FROM search JOIN block ON block.number = search.rowid JOIN episode ON episode.number = block.episode"
    " WHERE search MATCH ? AND {} ORDER BY search.rowid"
)
_OTHERS = _ALL.replace("WHERE {}", "WHERE {} AND block.episode NOT IN (SELECT episode FROM searchable)")


def _literal(db: sqlite3.Connection, text: str, part: Part | None) -> Iterator[Hit]:
    words = re.findall(r"[^\W_]+", text)
    pattern = r"(?<![^\W_])" + r"[\W_]+".join(words) if words else re.escape(text)
    if not words or version(db) < INDEXED:
        # Nothing that an index knows, or no index: look at everything.
        yield from _matching(db.execute(_ALL.format(_PARTS[part])), pattern)
        return
    yield from _matching(db.execute(_INDEXED.format(_PARTS[part]), (f'"{" ".join(words)}" *',)), pattern)
    yield from _matching(db.execute(_OTHERS.format(_PARTS[part])), pattern)


def _matching(rows: sqlite3.Cursor, pattern: str) -> Iterator[Hit]:
    wanted = re.compile(pattern, re.IGNORECASE)
    for id, message, channel, block, role, text in rows:
        said = original(text or "")
        if match := wanted.search(said):
            start, end = match.span()
            around = (said[max(0, start - _AROUND) : start], said[start:end], said[end : end + _AROUND])
            yield Hit(id, message, channel, block, role, start, end, *around)


def _expression(db: sqlite3.Connection, text: str, part: Part | None) -> Iterator[Hit]:
    if version(db) < INDEXED:
        raise UsageError("this run has no index for expressions", "search for the words literally")
    words = [word for word in re.findall(r"[^\W_]+", text) if word not in ("AND", "OR", "NOT", "NEAR")]
    # Where the first of its words stands; an expression as a whole has no one place.
    pattern = rf"(?<![^\W_])(?:{'|'.join(words) or '$'})"
    try:
        yield from _matching(db.execute(_INDEXED.format(_PARTS[part]), (stored(text),)), pattern)
    except sqlite3.OperationalError as error:
        raise UsageError(f"{text!r} is no search expression ({error})", "search for it literally") from error
