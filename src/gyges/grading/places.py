"""Where in some sentences classes of words stand, as bits of whole numbers. It knows numbers of classes, no word.

The sentences stand in a row with room in between, so that one operation on a number looks at every word of all of
them. A class has a number with a bit at each word where it begins; what is longer than a word is known by length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Places:
    """Some sentences. `firsts` has the place of each one's first word, `sizes` how many words it has."""

    starts: list[int]
    """For each class, the places where it begins."""
    firsts: list[int]
    sizes: list[int]
    longer: dict[int, dict[int, int]] = field(default_factory=dict)
    """Of classes with more than single words here: by number of words, where so many begin."""
    barrier: int = 0
    """Where a word stands that no gap may hold."""
    wholes: list[int] = field(init=False)
    """For each sentence the places of all its words."""
    owners: list[int] = field(init=False)
    """For each place, the number of the sentence that it is in."""

    def __post_init__(self) -> None:
        self.wholes, self.owners = [], []
        for number, (first, size) in enumerate(zip(self.firsts, self.sizes, strict=True)):
            self.wholes.append((1 << size) - 1 << first)
            self.owners += [number - 1] * (first - len(self.owners)) + [number] * size

    def add(self, number: int, words: int, starts: int) -> None:
        """The class also stands at these places, as so many words."""
        if words > 1 or number in self.longer:
            lengths = self.longer.setdefault(number, {1: self.starts[number]})
            lengths[words] = lengths.get(words, 0) | starts
        self.starts[number] |= starts

    def ends(self, number: int, starts: int) -> int:
        """One past the last word of what begins at some of the class's places."""
        if number not in self.longer:
            return starts << 1
        ends = 0
        for words, places in self.longer[number].items():
            ends |= (places & starts) << words
        return ends

    def before(self, number: int, starts: int, ends: int) -> int:
        """Those of some of the class's places from which it reaches to one of `ends`."""
        if number not in self.longer:
            return starts & ends >> 1
        found = 0
        for words, places in self.longer[number].items():
            found |= places & ends >> words
        return found & starts

    def lengths(self, number: int, start: int) -> Sequence[int]:
        """How many words the class has at a place, the fewest first."""
        if number not in self.longer:
            return (1,)
        return sorted(words for words, places in self.longer[number].items() if places >> start & 1)

    def spans(self, number: int) -> list[tuple[int, int]]:
        """First word and one past the last of all that the class has, in order."""
        return [
            (start, start + words) for start in bits(self.starts[number]) for words in self.lengths(number, start)
        ]


def bits(number: int) -> list[int]:
    """The places of a number's bits, the lowest first."""
    found = []
    while number:
        lowest = number & -number
        number ^= lowest
        found.append(lowest.bit_length() - 1)
    return found


def steps(gap: int) -> tuple[int, ...]:
    """The shifts that, each joined with what was there before it, spread a bit over `gap` places beside it."""
    shifts, width = [], 1
    while gap:
        shifts.append(min(width, gap))
        gap -= shifts[-1]
        width += shifts[-1]
    return tuple(shifts)


def spread(places: int, shifts: Sequence[int]) -> int:
    """The places, and so many after each as the shifts stand for."""
    for shift in shifts:
        places |= places << shift
    return places
