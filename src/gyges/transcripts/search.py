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
from gyges.transcripts.codec import original, read_tools, stored
from gyges.transcripts.record import Outcome, Role
from gyges.transcripts.schema import WITH_TOOLS, version

Part = Literal["prompts", "reasoning", "answers", "calls"]
"""What to look in; `calls` are the tool calls of the agent, their names and arguments."""

Where = Literal["text", "reasoning", "call"]

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
    "calls": "block.channel = 'text' AND block.role = 'assistant'",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where the words stand: the address of a quotation, the words themselves and what is around them.

    Of a tool call, `block` says which of the message's it is, and the place is one in `name arguments`.
    """

    episode: str
    message: int
    channel: Where
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
    for episode in numbers:
        db.executemany("INSERT INTO search(rowid, text) VALUES (?, ?)", list(_blocks(db, episode)))
    db.executemany("INSERT INTO searchable VALUES (?)", numbers)
    return len(numbers)


def _blocks(db: sqlite3.Connection, episode: tuple[int]) -> Iterator[tuple[int, str]]:
    """Numbers and words of an episode's blocks; the words of a message's tool calls stand after its text."""
    rows = db.execute("SELECT number, text, tools FROM block WHERE episode = ?", episode)
    for number, text, tools in rows:
        if text is not None or tools is not None:
            yield number, "\n".join([text or "", *map(stored, _calls(tools))])


def _calls(tools: str | None) -> list[str]:
    return [f"{call.name} {call.arguments}" for call in read_tools(tools)[0]] if tools else []


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


_COLUMNS = "SELECT episode.id, block.message, block.channel, block.block, block.role, block.text, block.tools"
_ALL = f"{_COLUMNS} FROM block JOIN episode ON episode.number = block.episode WHERE {{}} ORDER BY block.number"
_INDEXED = (
    f"{_COLUMNS}"
    " FROM search JOIN block ON block.number = search.rowid JOIN episode ON episode.number = block.episode"
    " WHERE search MATCH ? AND {} ORDER BY search.rowid"
)
# The episodes first, of which few or none are missing in the index: to look at every block takes minutes.
_OTHERS = (
    f"{_COLUMNS}"
    " FROM episode CROSS JOIN block ON block.episode = episode.number"
    " WHERE episode.number NOT IN (SELECT episode FROM searchable) AND {} ORDER BY episode.number, block.number"
)


def _literal(db: sqlite3.Connection, text: str, part: Part | None) -> Iterator[Hit]:
    words = re.findall(r"[^\W_]+", text)
    pattern = r"(?<![^\W_])" + r"[\W_]+".join(words) if words else re.escape(text)
    if not words or version(db) < INDEXED:
        # Nothing that an index knows, or no index: look at everything.
        yield from _matching(_rows(db, _ALL, part), pattern, part)
        return
    yield from _matching(_rows(db, _INDEXED, part, f'"{" ".join(words)}" *'), pattern, part)
    yield from _matching(_rows(db, _OTHERS, part), pattern, part)


def _rows(db: sqlite3.Connection, query: str, part: Part | None, *values: str) -> sqlite3.Cursor:
    query = query if version(db) >= WITH_TOOLS else query.replace("block.tools", "NULL")
    return db.execute(query.format(_PARTS[part]), values)


def _matching(rows: sqlite3.Cursor, pattern: str, part: Part | None) -> Iterator[Hit]:
    wanted = re.compile(pattern, re.IGNORECASE)
    for id, message, channel, block, role, text, tools in rows:
        said: list[tuple[Where, int, str]] = [] if part == "calls" else [(channel, block, original(text or ""))]
        if part in (None, "calls"):
            said += [("call", at, words) for at, words in enumerate(_calls(tools))]
        for where, at, words in said:
            if match := wanted.search(words):
                start, end = match.span()
                around = (words[max(0, start - _AROUND) : start], words[start:end], words[end : end + _AROUND])
                yield Hit(id, message, where, at, role, start, end, *around)


def _expression(db: sqlite3.Connection, text: str, part: Part | None) -> Iterator[Hit]:
    if version(db) < INDEXED:
        raise UsageError("this run has no index for expressions", "search for the words literally")
    words = [word for word in re.findall(r"[^\W_]+", text) if word not in ("AND", "OR", "NOT", "NEAR")]
    # Where the first of its words stands; an expression as a whole has no one place.
    pattern = rf"(?<![^\W_])(?:{'|'.join(words) or '$'})"
    try:
        yield from _matching(_rows(db, _INDEXED, part, stored(text)), pattern, part)
    except sqlite3.OperationalError as error:
        raise UsageError(f"{text!r} is no search expression ({error})", "search for it literally") from error
