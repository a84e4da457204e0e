"""A pattern over classes of words, and where it matches in a sentence. It knows numbers of classes, and no word.

A pattern is a line of elements: a word, `word*` (any word that begins so), `a|b|two_words|<class>` (one of
them), `..` or `..7` (at most 4, or 7, words in between). Without dots the elements follow each other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

GAP = 4
"""What `..` allows."""

Match = tuple[int, int]
"""First word and one past the last word, as indices into a sentence."""


class PatternError(ValueError):
    """A pattern can't be read; the message says why. `subject` is what of it can't, as it is written."""

    def __init__(self, what: str, subject: str) -> None:
        super().__init__(what)
        self.subject = subject


@dataclass(frozen=True, slots=True)
class Pattern:
    """Elements in order: the class of each, and how many words may stand before it. `bits` are its classes."""

    name: str
    classes: tuple[int, ...]
    gaps: tuple[int, ...]
    bits: int
    makes: int = -1
    """The class that its matches belong to, for a pattern that is part of others."""
    gapped: bool = False
    """Whether any word may stand in between."""
    long: bool = False
    """Whether it has more classes than are looked for before it is tried."""


class Found(NamedTuple):
    """A pattern's match; `holes` are the words in its gaps."""

    name: str
    start: int
    end: int
    holes: tuple[int, ...]


@dataclass(slots=True)
class Hits:
    """Where in a sentence the classes stand. `bits` has one bit for each class that does."""

    events: list[tuple[frozenset[int], int, int]]
    """Classes by number, and the first word and one past the last that they have here."""
    bits: int
    _spans: dict[int, list[Match]] = field(default_factory=dict)

    def look_for(self, numbers: Set[int]) -> None:
        """Finds the places of some classes at once, which takes less time than one after the other."""
        spans: dict[int, list[Match]] = {number: [] for number in numbers}
        for classes, start, end in self.events:
            for number in classes & numbers:
                spans[number].append((start, end))
        for number, known in spans.items():
            self._spans[number] = sorted(set(known)) if len(known) > 1 else known

    def spans(self, number: int) -> list[Match]:
        """The places of one class, in order."""
        known = self._spans.get(number)
        if known is None:
            known = []
            if self.bits >> number & 1:
                known = [(start, end) for classes, start, end in self.events if number in classes]
                if len(known) > 1:
                    known = sorted(set(known))
            self._spans[number] = known
        return known

    def add(self, bits: int, classes: frozenset[int], found: Iterable[Found]) -> None:
        self.events += [(classes, one.start, one.end) for one in found]
        self.bits |= bits
        for number in classes:
            self._spans.pop(number, None)


def match(pattern: Pattern, hits: Hits) -> list[Found]:
    """The pattern's matches, not overlapping; of two with the same end the tighter one. From right to left."""
    classes = pattern.classes
    if len(classes) == 1:
        return [Found(pattern.name, start, end, ()) for start, end in reversed(hits.spans(classes[0]))]
    lists = [hits.spans(number) for number in classes]
    if lists[-1][-1][0] <= lists[0][0][0]:
        return []  # the last element stands before the first
    if len(lists) == 2:
        return _two(pattern, lists[0], lists[1])
    found: list[Found] = []
    dead: set[tuple[int, int]] = set()
    free = 1 << 30
    for start, end in reversed(lists[0]):
        rest = _continue(pattern.gaps, lists, 1, end, dead)
        if rest is None:
            continue
        last, holes = rest
        if last <= free:
            found.append(Found(pattern.name, start, last, holes))
            free = start
    return found


def _two(pattern: Pattern, firsts: Sequence[Match], seconds: Sequence[Match]) -> list[Found]:
    """As `match`, for the commonest kind of pattern."""
    found: list[Found] = []
    gap, free = pattern.gaps[1], 1 << 30
    for start, end in reversed(firsts):
        place = bisect_left(seconds, (end, 0))
        if place < len(seconds):
            after, last = seconds[place]
            if after <= end + gap and last <= free:
                found.append(Found(pattern.name, start, last, tuple(range(end, after))))
                free = start
    return found


def _continue(
    gaps: Sequence[int], lists: Sequence[Sequence[Match]], index: int, at: int, dead: set[tuple[int, int]]
) -> tuple[int, tuple[int, ...]] | None:
    """The rest of a match from word `at`. `dead` remembers what led nowhere, so no text makes this slow."""
    if index == len(gaps):
        return at, ()
    if (index, at) in dead:
        return None
    spans = lists[index]
    for place in range(bisect_left(spans, (at, 0)), len(spans)):
        start, end = spans[place]
        if start > at + gaps[index]:
            break
        rest = _continue(gaps, lists, index + 1, end, dead)
        if rest is not None:
            return rest[0], (*range(at, start), *rest[1])
    dead.add((index, at))
    return None


def gap_of(element: str) -> int:
    """How many words `..` or `..7` allows. Raises PatternError."""
    if element == "..":
        return GAP
    if element[2:].isdigit():
        return int(element[2:])
    raise PatternError(f"'{element}' is not a gap: write .. or ..7", element)
