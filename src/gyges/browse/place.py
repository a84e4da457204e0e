"""Places in a pair's transcripts, as elements and deep links name them. It knows no text and no page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gyges.transcripts.grades import Channel

SIDES = ("a", "b")
"""How the first and the second context are named in an element's id and in a deep link."""

_PLACE = re.compile(r"([ab])-(\d{1,6})-(t|r)(\d{1,4})-(\d{1,9})-(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: side, message, channel and block."""

    side: str
    message: int
    channel: Channel
    block: int

    def id(self, start: int, end: int) -> str:
        return f"{self.side}-{self.message}-{self.channel[0]}{self.block}-{start}-{end}"


@dataclass(frozen=True, slots=True)
class Linked:
    """A span that an address points to."""

    place: Place
    start: int
    end: int


def read_place(text: str) -> Linked | None:
    """The span that a deep link names, such as `a-4-r0-63-119`; None if it names none."""
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    channel: Channel = "reasoning" if found[3] == "r" else "text"
    place = Place(found[1], int(found[2]), channel, int(found[4]))
    return Linked(place, int(found[5]), int(found[6]))
