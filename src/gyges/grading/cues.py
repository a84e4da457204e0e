"""Cues in one sentence: what its words say, unless they are negated, quoted, supposed or somebody else's.

It knows one sentence at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gyges.grading.pattern import Found, Hits, Match
from gyges.grading.rules import Rules
from gyges.grading.sentences import Sentence

BEFORE = 5
"""How many words before a cue a negation reaches, within its clause."""
SHORT = 3
"""Words in a sentence that says a flat no."""
SUPPOSED = 7
"""How many words before a cue a supposition reaches, within its clause."""


class Cue(NamedTuple):
    """Something said in a sentence, from its word `start` to before its word `end`.

    `told` is True when the words are only reported (the prompt says ...): weaker, yet not nothing.
    """

    name: str
    start: int
    end: int
    told: bool = False


def cues(
    sentence: Sentence, rules: Rules, asked: bool = False, echo: Callable[[], frozenset[int]] = frozenset
) -> list[Cue]:
    """The cues of a sentence that hold.

    `asked` says that it ends with a question mark; `echo` says which of its words only repeat the prompt, and is
    asked only where there is something to find.
    """
    reader = _Reader(sentence, rules, asked, echo)
    found = rules.lexicon.find(sentence.words, reader.accepts)
    if not reader.reports:
        return [Cue(one.name, one.start, one.end) for one in found]
    return [Cue(one.name, one.start, one.end, reader.told(one)) for one in found]


@dataclass(slots=True)
class _Reader:
    sentence: Sentence
    rules: Rules
    asked: bool
    echo: Callable[[], frozenset[int]]
    hits: Hits = field(default_factory=lambda: Hits([], 0))
    _clauses: tuple[int, ...] | None = None
    _quoted: frozenset[int] | None = None
    _echoed: frozenset[int] | None = None

    def accepts(self, hits: Hits, found: Found) -> bool:
        self.hits = hits
        bits = hits.bits
        for flag, needed in self.rules.unless[found.name]:
            if (not needed or bits & needed) and self._has(flag, found):
                return False
        return not self._echoes(found)

    def told(self, found: Found) -> bool:
        """Whether the sentence says before the cue whose words these are, with no turn in between."""
        for start, end in self._spans("attribution"):
            if end <= found.start and not any(end <= at < found.start for at, _ in self._spans("turn")):
                return True
            if start >= found.end and start - found.end <= 1 and end == len(self.sentence.words):
                return True  # "..., the prompt says."
        return False

    @property
    def reports(self) -> bool:
        """Whether the sentence has words for what somebody says."""
        return bool(self.hits.bits >> self.rules.markers["attribution"] & 1)

    @property
    def clauses(self) -> tuple[int, ...]:
        if self._clauses is None:
            self._clauses = self.sentence.clauses()
        return self._clauses

    @property
    def quoted(self) -> frozenset[int]:
        if self._quoted is None:
            self._quoted = self.sentence.quoted()
        return self._quoted

    @property
    def echoed(self) -> frozenset[int]:
        if self._echoed is None:
            self._echoed = self.echo()
        return self._echoed

    def _echoes(self, found: Found) -> bool:
        return bool(self.echoed) and all(index in self.echoed for index in range(found.start, found.end))

    def _has(self, flag: str, found: Found) -> bool:
        match flag:
            case "asked":
                return self.asked
            case "quoted":
                return found.start in self.quoted
            case "attributed":
                return self.told(found)
            case "negated":
                return self._negated(found)
            case "long":
                return len(self.sentence.words) > SHORT
            case "denied":
                return any(start == found.end for start, _ in self._spans("negation"))
            case "hypothetical" | "others":
                return any(self._reaches(start, end, found, SUPPOSED) for start, end in self._spans(flag))
            case "later" | "unreal" | "unused":
                return bool(self._spans(flag))
        return False

    def _spans(self, marker: str) -> Sequence[Match]:
        return self.hits.spans(self.rules.markers[marker])

    def _negated(self, found: Found) -> bool:
        harmless = self._spans("no_negation")
        for start, end in self._spans("negation"):
            # What is near enough is rare, so it is asked first.
            reaches = self._reaches(start, end, found, BEFORE)
            if reaches and not any(at <= start and end <= to for at, to in harmless):
                return True
        return False

    def _reaches(self, start: int, end: int, found: Found, reach: int) -> bool:
        if start in found.holes:
            return True
        return end <= found.start <= end + reach and self.clauses[start] == self.clauses[found.start]
