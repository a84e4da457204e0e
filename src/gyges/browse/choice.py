"""Which pairs are wanted, in which order: filters as they stand in an address. It knows no store and no page.

Every name is looked up in a table of this file; nothing from an address becomes part of a query or a path.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from gyges.browse.lines import FILTERS, PairLine
from gyges.errors import UsageError
from gyges.transcripts.search import PARTS, Part, Query

PAGE = 100
"""Pairs on one page of the table."""

EXPRESSION = "expression"
"""Says in an address that the words are an expression."""

Key = tuple[str | int, ...]

SORTS: Mapping[str, Callable[[PairLine], Key]] = {
    "scenario": lambda pair: (pair.family, pair.scenario),
    "agent": lambda pair: (pair.agent,),
    "sample": lambda pair: (pair.sample,),
    "quadrant": lambda pair: (pair.quadrant,),
    "first": lambda pair: (pair.first.behaviour,),
    "second": lambda pair: (pair.second.behaviour,),
    "findings": lambda pair: (-len(pair.first.findings) - len(pair.second.findings),),
    "length": lambda pair: (pair.length,),
}
"""What pairs can be sorted by; a minus sign in front of the name turns the order round."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Filters (any value of a name, all names), words to be found, an order and a page (from 1)."""

    wanted: tuple[tuple[str, str], ...] = ()
    words: str = ""
    part: Part | None = None
    literal: bool = True
    sort: str = "scenario"
    page: int = 1

    @classmethod
    def read(cls, items: Iterable[tuple[str, str]]) -> Choice:
        """From the names and values of an address; unknown names are ignored. Raises UsageError."""
        given = list(items)
        wanted = tuple((name, value) for name, value in given if name in FILTERS and value)
        rest = dict(given)
        sort, page = rest.get("sort", "scenario"), rest.get("page", "1")
        if sort.removeprefix("-") not in SORTS:
            raise UsageError("pairs can't be sorted by that", f"sort by one of: {', '.join(SORTS)}")
        if not (page.isascii() and page.isdigit() and len(page) < 10 and int(page)):
            raise UsageError("there is no such page", "pages count from 1")
        part = next((part for part in PARTS if part == rest.get("in")), None)
        return cls(wanted, rest.get("q", "").strip(), part, rest.get("as") != EXPRESSION, sort, int(page))

    def query(self) -> Query | None:
        """What is searched for, if anything is. Raises UsageError for words that are too many."""
        return Query(self.words, self.part, self.literal) if self.words else None

    def address(self) -> str:
        """The query of an address that says the same; "" for everything in its usual order."""
        items: list[tuple[str, str]] = list(self.wanted)
        if self.words:
            items += [("q", self.words)]
            items += [("in", self.part)] if self.part else []
            items += [] if self.literal else [("as", EXPRESSION)]
        items += [("sort", self.sort)] if self.sort != "scenario" else []
        items += [("page", str(self.page))] if self.page > 1 else []
        return "?" + urlencode(items, errors="surrogatepass") if items else ""

    def values(self, name: str) -> tuple[str, ...]:
        return tuple(value for wanted, value in self.wanted if wanted == name)

    def without(self, name: str, value: str) -> Choice:
        return replace(self, wanted=tuple(item for item in self.wanted if item != (name, value)), page=1)

    def without_words(self) -> Choice:
        return replace(self, words="", part=None, literal=True, page=1)

    def sorted_by(self, name: str) -> Choice:
        """In the order of `name`; turned round if it is in this order already."""
        return replace(self, sort=f"-{name}" if self.sort == name else name, page=1)

    def on_page(self, page: int) -> Choice:
        return replace(self, page=page)

    def pairs(self, pairs: Sequence[PairLine], found: Collection[int] | None = None) -> list[PairLine]:
        """Those of the pairs (which come in their usual order) that are wanted, in the order that is asked for.

        `found`: the numbers of the episodes that hold the words; None if none are looked for.
        """
        wanted = {name: set(self.values(name)) for name, _ in self.wanted}
        chosen = [
            pair
            for pair in pairs
            if all(not values.isdisjoint(FILTERS[name](pair)) for name, values in wanted.items())
        ]
        if found is not None:
            chosen = [pair for pair in chosen if pair.first.number in found or pair.second.number in found]
        if self.sort != "scenario":
            chosen.sort(key=SORTS[self.sort.removeprefix("-")], reverse=self.sort.startswith("-"))
        return chosen
