"""Words in transcripts: what is looked for, and a look at the texts themselves. It knows no index and no file.

What a user types is taken literally: its words, in this order, the last one perhaps only begun, whatever stands
between them and in whatever case. No character of it is syntax, unless an expression is asked for. One letter is a
whole word: what begins with it is nearly everything.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from gyges.errors import UsageError
from gyges.transcripts.codec import original, read_tools, stored
from gyges.transcripts.record import Role
from gyges.transcripts.schema import WITH_TOOLS, version

Part = Literal["prompts", "reasoning", "answers", "calls"]
"""What to look in; `calls` are the tool calls of the agent, their names and arguments."""

PARTS: tuple[Part, ...] = get_args(Part)

Where = Literal["text", "reasoning", "call"]

LONGEST = 500
"""Characters of a query."""

_AROUND = 60
_WORD = re.compile(r"[^\W_]+")
_OPERATORS = ("AND", "OR", "NOT", "NEAR")


@dataclass(frozen=True)
class Query:
    """What is looked for. With `literal=False` the text is an expression of FTS5 (AND, OR, NOT, NEAR, a star).

    Raises UsageError for a text that says nothing or is too long.
    """

    text: str
    part: Part | None = None
    literal: bool = True

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise UsageError("the search is empty", "give a few words")
        if len(self.text) > LONGEST:
            raise UsageError("the search is too long", "give a few words")

    @property
    def words(self) -> list[str]:
        """Its words; of an expression, without the operators."""
        words: list[str] = _WORD.findall(self.text)
        return words if self.literal else [word for word in words if word not in _OPERATORS]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What its place in a text looks like; an expression as a whole has none, so any of its words."""
        if self.literal and not self.words:
            return re.compile(re.escape(self.text), re.IGNORECASE)
        between = r"[\W_]+" if self.literal else "|"
        ends = "" if self._begun else r"(?![^\W_])"
        return re.compile(rf"(?<![^\W_])(?:{between.join(self.words) or '$'}){ends}", re.IGNORECASE)

    @property
    def _begun(self) -> bool:
        """Whether the last word may be only begun."""
        return not self.literal or len(self.words[-1]) > 1 or not self.words[-1].isascii()

    def expression(self) -> str | None:
        """What an index is asked; None for signs alone, which no index knows."""
        if not self.literal:
            asked = stored(self.text)
        elif self.words:
            asked = f'"{" ".join(self.words)}"{" *" if self._begun else ""}'
        else:
            return None
        return f"{{{self.part}}} : ({asked})" if self.part else asked


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


@dataclass(frozen=True, slots=True)
class Said:
    """One text of an episode and where it stands."""

    message: int
    channel: Where
    block: int
    role: Role
    words: str

    @property
    def part(self) -> Part:
        """Which part of a transcript it is in."""
        if self.channel == "call":
            return "calls"
        if self.channel == "reasoning":
            return "reasoning"
        return "answers" if self.role == "assistant" else "prompts"


def texts(db: sqlite3.Connection, number: int) -> Iterator[Said]:
    """Every text of the episode of this number, in the order in which they were stored."""
    tools = "tools" if version(db) >= WITH_TOOLS else "NULL"
    rows = db.execute(
        f"SELECT message, channel, block, role, text, {tools} FROM block WHERE episode = ? ORDER BY number",
        (number,),
    )
    for message, channel, block, role, text, spelt in rows:
        if text is not None:
            yield Said(message, channel, block, role, original(text))
        if spelt is not None:
            for at, call in enumerate(read_tools(spelt)[0]):
                yield Said(message, "call", at, role, f"{call.name} {call.arguments}")


def places(db: sqlite3.Connection, number: int, id: str, query: Query) -> Iterator[Hit]:
    """Where the words stand in an episode: the first place in each of its texts."""
    for said in texts(db, number):
        if query.part in (None, said.part) and (match := query.pattern.search(said.words)):
            start, end = match.span()
            around = (said.words[max(0, start - _AROUND) : start], match[0], said.words[end : end + _AROUND])
            yield Hit(id, said.message, said.channel, said.block, said.role, start, end, *around)


def looked_through(db: sqlite3.Connection, numbers: Iterable[int], query: Query) -> Iterator[tuple[int, bool]]:
    """Each of these episodes, and whether the words stand in it: read, not looked up."""
    for number in numbers:
        yield number, any(True for _ in places(db, number, "", query))
