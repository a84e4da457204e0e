"""Cues in one sentence: what its words say, unless they are negated, quoted, supposed or somebody else's.

It knows one sentence at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from .lexicon import Found, Hits, Match
from .rules import Rules
from .sentences import Sentence

BEFORE = 5
"""How many words before a cue a negation reaches, within its clause."""
SHORT = 3
"""Words in a sentence that says a flat no."""
SUPPOSED = 7
"""How many words before a cue a supposition reaches, within its clause."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Something said in a sentence, from its word `start` to before its word `end`.

    `told` is True when the words are only reported (the prompt says ...): weaker, yet not nothing.
    """

    name: str
    start: int
    end: int
    told: bool = False


def cues(sentence: Sentence, rules: Rules, asked: bool = False) -> list[Cue]:
    """The cues of a sentence that hold. `asked` says that it ends with a question mark."""
    hits, found = rules.lexicon.find(sentence.words)
    if not found:
        return []
    reader = _Reader(sentence, hits, rules.markers)
    kept = []
    for one in found:
        unless = rules.unless[one.name]
        told = reader.told(one)
        if (asked and "asked" in unless) or (told and "attributed" in unless):
            continue
        if any(flag in unless for flag in reader.flags(one)):
            continue
        kept.append(Cue(one.name, one.start, one.end, told))
    return kept


@dataclass(frozen=True)
class _Reader:
    sentence: Sentence
    hits: Hits
    markers: Mapping[str, int]

    @cached_property
    def clauses(self) -> tuple[int, ...]:
        return self.sentence.clauses()

    @cached_property
    def quoted(self) -> frozenset[int]:
        return self.sentence.quoted()

    def flags(self, found: Found) -> Iterator[str]:
        if found.start in self.quoted:
            yield "quoted"
        if self._negated(found):
            yield "negated"
        if len(self.sentence.words) > SHORT:
            yield "long"
        if any(start == found.end for start, _ in self._spans("negation")):
            yield "denied"
        if self._marked("hypothetical", found, SUPPOSED):
            yield "hypothetical"
        if self._marked("others", found, SUPPOSED):
            yield "others"
        if self._spans("later"):
            yield "later"
        if self._spans("unreal"):
            yield "unreal"

    def told(self, found: Found) -> bool:
        """Whether the sentence says before the cue whose words these are, with no turn in between."""
        for start, end in self._spans("attribution"):
            if end <= found.start and not any(end <= at < found.start for at, _ in self._spans("turn")):
                return True
            if start >= found.end and start - found.end <= 1 and end == len(self.sentence.words):
                return True  # "..., the prompt says."
        return False

    def _spans(self, marker: str) -> Sequence[Match]:
        return self.hits.spans(self.markers[marker])

    def _negated(self, found: Found) -> bool:
        harmless = self._spans("no_negation")
        for start, end in self._spans("negation"):
            if any(at <= start and end <= to for at, to in harmless):
                continue
            if self._reaches(start, end, found, BEFORE):
                return True
        return False

    def _marked(self, marker: str, found: Found, reach: int) -> bool:
        return any(self._reaches(start, end, found, reach) for start, end in self._spans(marker))

    def _reaches(self, start: int, end: int, found: Found, reach: int) -> bool:
        if start in found.holes:
            return True
        return end <= found.start <= end + reach and self.clauses[start] == self.clauses[found.start]
