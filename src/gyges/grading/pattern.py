"""A pattern over classes of words, and where it matches in sentences. It knows numbers of classes, and no word.

A pattern is a line of elements: a word, `word*` (any word that begins so), `a|b|two_words|<class>` (one of
them), `..` or `..7` (at most 4, or 7, words in between). Without dots the elements follow each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gyges.grading.places import Places, bits

GAP = 4
"""What `..` allows."""
ONE = (1,)
"""Words that most elements have."""


class PatternError(ValueError):
    """A pattern can't be read; the message says why. `subject` is what of it can't, as it is written."""

    def __init__(self, what: str, subject: str) -> None:
        super().__init__(what)
        self.subject = subject


class Match(NamedTuple):
    """First word and one past the last, as places; `holes` has a bit for each word in the pattern's gaps."""

    start: int
    end: int
    holes: int


class Found(NamedTuple):
    """A pattern's match: its first word and one past the last, as indices into the sentence."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """Elements in order: `first` is the class of the first, `rest` has those of the others.

    With each of `rest` stand the shifts over the words that may stand before it (`places.steps`).
    """

    name: str
    first: int
    rest: tuple[tuple[int, tuple[int, ...]], ...]
    makes: int = -1
    """The class that its matches belong to, for a pattern that is part of others."""

    @property
    def numbers(self) -> frozenset[int]:
        """Its classes."""
        return frozenset((self.first, *(number for number, _ in self.rest)))

    def find(self, places: Places, within: int = -1) -> Sequence[Match]:
        """The matches that begin `within`, not overlapping; of two with the same end the tighter one.

        From right to left. A pattern of one element matches wherever that stands.
        """
        begun = places.starts[self.first] & within
        if not begun or not self.rest:
            return self._alone(places, begun)
        # From left to right: where each element may begin, after those before it.
        starts, longer = places.starts, places.longer
        reached, number = [begun], self.first
        for following, shifts in self.rest:
            ends = places.ends(number, begun) if number in longer else begun << 1
            for shift in shifts:
                ends |= ends << shift
            begun = ends & starts[following]
            if not begun:
                return ()
            reached.append(begun)
            number = following
        return self._matches(places, reached)

    def _alone(self, places: Places, begun: int) -> list[Match]:
        return [
            Match(start, start + words, 0)
            for start in reversed(bits(begun))
            for words in reversed(places.lengths(self.first, start))
        ]

    def _matches(self, places: Places, reached: list[int]) -> list[Match]:
        """From right to left: of what was reached, that from which the last element is; and each match of it."""
        rest, longer = self.rest, places.longer
        allowed = [0] * len(rest)  # where each element but the last may end
        for at in range(len(rest) - 1, -1, -1):
            ends = reached[at + 1]
            for shift in rest[at][1]:
                ends |= ends >> shift
            allowed[at] = ends
            number = rest[at - 1][0] if at else self.first
            reached[at] = places.before(number, reached[at], ends) if number in longer else reached[at] & ends >> 1
        found: list[Match] = []
        firsts, free = reached[0], 1 << 62
        while firsts:
            start = firsts.bit_length() - 1
            firsts ^= 1 << start
            for words in reversed(places.lengths(self.first, start)) if self.first in longer else ONE:
                if allowed[0] >> start + words & 1:
                    end, holes = self._rest(places, reached, allowed, start + words)
                    if end <= free:
                        found.append(Match(start, end, holes))
                        free = start
        return found

    def _rest(self, places: Places, reached: list[int], allowed: list[int], end: int) -> tuple[int, int]:
        """The end of a match whose first element ends here, each further one as near as can be; and its holes."""
        holes, longer, last = 0, places.longer, len(allowed)
        for at, (number, _) in enumerate(self.rest, 1):
            ahead = reached[at] >> end
            if not ahead & 1:
                start = end + (ahead & -ahead).bit_length() - 1
                holes |= (1 << start) - (1 << end)
                end = start
            if number in longer:
                lengths = places.lengths(number, end)
                end += next(words for words in lengths if at == last or allowed[at] >> end + words & 1)
            else:
                end += 1
        return end, holes


def gap_of(element: str) -> int:
    """How many words `..` or `..7` allows. Raises PatternError."""
    if element == "..":
        return GAP
    if element[2:].isdigit():
        return int(element[2:])
    raise PatternError(f"'{element}' is not a gap: write .. or ..7", element)
