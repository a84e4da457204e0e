"""A text cut where marks begin and end, so that a page can show each piece as it is. It knows no page.

Pieces carry the text as it was, and their place in it (in Python characters). Characters that act or can't be seen
are pieces of their own, with what is shown instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from gyges.transcripts.safe import safe

Kind = Literal["signal", "differs", "evidence", "decision", "fork", "link", "found"]

WHOLE = 40_000
"""Characters of a text that are always shown."""
AROUND = 400
"""Characters shown around a mark further on."""
PLAIN = re.compile(r"[\n\t -~]*")
"""What is safe at a glance, as most text is: each character of other text is looked at."""
LANES = 4
"""How many overlapping marks are drawn apart."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A span that stands out. `letter` and `name` say why; `lane` keeps overlapping marks apart."""

    start: int
    end: int
    kind: Kind
    name: str = ""
    letter: str = ""
    id: str = ""
    grader: str = ""
    lane: int = 0
    decoded: str = ""
    """What the span says in plain words, where it hides them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters under the same marks. `opens` are the marks that begin here, `closes` those that end here."""

    at: int
    text: str
    marks: tuple[Mark, ...] = ()
    opens: tuple[Mark, ...] = ()
    closes: tuple[Mark, ...] = ()
    shown_as: str = ""
    """For what would act or can't be seen: what to show instead."""
    left_out: int = 0
    """Characters that are not shown here; there is no text then."""


def in_lanes(marks: Iterable[Mark]) -> list[Mark]:
    """The marks in order of their start, each in the first lane that is free there."""
    ends: list[int] = []
    placed = []
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end, mark.letter)):
        free = next((lane for lane, end in enumerate(ends) if end <= mark.start), len(ends))
        ends[free : free + 1] = [mark.end]
        placed.append(replace(mark, lane=min(free, LANES - 1)))
    return placed


def pieces(text: str, marks: Sequence[Mark] = (), whole: int = WHOLE) -> list[Piece]:
    """The text in pieces. Of a text longer than `whole`, its beginning and what is around its marks.

    Of a mark that is longer than `whole`, its beginning.
    """
    inside = [mark for mark in marks if 0 <= mark.start <= mark.end <= len(text)]
    placed = in_lanes(inside)
    shown, at, cut = _windows(len(text), placed, whole), 0, list[Piece]()
    for start, end in shown:
        if start > at:
            cut.append(Piece(at, "", left_out=start - at))
        cut += _cut(text, start, end, placed)
        at = end
    return [*cut, Piece(at, "", left_out=len(text) - at)] if at < len(text) else cut


def _windows(length: int, marks: Sequence[Mark], whole: int) -> list[tuple[int, int]]:
    """What is shown of a text, from left to right, not overlapping."""
    if length <= whole:
        return [(0, length)]
    windows = [(0, whole)]
    for mark in marks:
        # A mark may be as long as the text: then its beginning.
        start, end = max(0, mark.start - AROUND), min(length, min(mark.end, mark.start + whole) + AROUND)
        if start <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(windows[-1][1], end))
        else:
            windows.append((start, end))
    return windows


def _cut(text: str, start: int, end: int, marks: Sequence[Mark]) -> list[Piece]:
    here = [mark for mark in marks if mark.start < end and mark.end > start]
    bounds = sorted({start, end, *(b for mark in here for b in (mark.start, mark.end) if start < b < end)})
    cut: list[Piece] = []
    for left, right in pairwise(bounds):
        over = tuple(mark for mark in here if mark.start <= left and mark.end >= right)
        parts = _parts(text, left, right)
        cut += [replace(part, marks=over) for part in parts]
        opens = tuple(mark for mark in over if mark.start == left)
        cut[-len(parts)] = replace(cut[-len(parts)], opens=opens)
        cut[-1] = replace(cut[-1], closes=tuple(mark for mark in over if mark.end == right))
    return cut


def _parts(text: str, start: int, end: int) -> list[Piece]:
    """At least one piece: what can be shown as it is, and what can't."""
    parts: list[Piece] = []
    at = start
    for place in _unsafe(text, start, end):
        if place > at:
            parts.append(Piece(at, text[at:place]))
        parts.append(Piece(place, text[place], shown_as=safe(text[place])))
        at = place + 1
    return [*parts, Piece(at, text[at:end])] if at < end or not parts else parts


def _unsafe(text: str, start: int, end: int) -> list[int]:
    """Places of characters to be spelt out. A line's end and a tab are safe on a page."""
    if PLAIN.fullmatch(text, start, end):
        return []
    words = text[start:end]
    unsafe = {character for character in set(words) if character not in "\n\t" and safe(character) != character}
    if not unsafe:
        return []
    return [
        start + at
        for at, character in enumerate(words)
        if character in unsafe and not (character == "\r" and words[at + 1 : at + 2] == "\n")
    ]
