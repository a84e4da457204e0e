"""Cues in one sentence: what its words say, unless they are negated, quoted, supposed or somebody else's.

It knows one sentence at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gyges.grading.pattern import Found, Hits, Match
from gyges.grading.rules import Rules
from gyges.grading.sentences import Sentence

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


def cues(
    sentence: Sentence, rules: Rules, asked: bool = False, echo: Callable[[], frozenset[int]] = frozenset
) -> list[Cue]:
    """The cues of a sentence that hold.

    `asked` says that it ends with a question mark; `echo` says which of its words only repeat the prompt, and is
    asked only where there is something to find.
    """
    reader = _Reader(sentence, rules, asked, echo)
    found = rules.lexicon.find(sentence.words, reader.accepts)
    return [Cue(one.name, one.start, one.end, reader.told(one)) for one in found]


@dataclass
class _Reader:
    sentence: Sentence
    rules: Rules
    asked: bool
    echo: Callable[[], frozenset[int]]
    hits: Hits = field(default_factory=lambda: Hits([], 0))

    def accepts(self, hits: Hits, found: Found) -> bool:
        self.hits = hits
        unless = self.rules.unless[found.name]
        if (self.asked and "asked" in unless) or ("attributed" in unless and self.told(found)):
            return False
        return not any(self._has(flag, found) for flag in unless) and not self._echoes(found)

    def told(self, found: Found) -> bool:
        """Whether the sentence says before the cue whose words these are, with no turn in between."""
        for start, end in self._spans("attribution"):
            if end <= found.start and not any(end <= at < found.start for at, _ in self._spans("turn")):
                return True
            if start >= found.end and start - found.end <= 1 and end == len(self.sentence.words):
                return True  # "..., the prompt says."
        return False

    @cached_property
    def clauses(self) -> tuple[int, ...]:
        return self.sentence.clauses()

    @cached_property
    def quoted(self) -> frozenset[int]:
        return self.sentence.quoted()

    @cached_property
    def echoed(self) -> frozenset[int]:
        return self.echo()

    def _echoes(self, found: Found) -> bool:
        return bool(self.echoed) and all(index in self.echoed for index in range(found.start, found.end))

    def _has(self, flag: str, found: Found) -> bool:
        match flag:
            case "quoted":
                return found.start in self.quoted
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
            if any(at <= start and end <= to for at, to in harmless):
                continue
            if self._reaches(start, end, found, BEFORE):
                return True
        return False

    def _reaches(self, start: int, end: int, found: Found, reach: int) -> bool:
        if start in found.holes:
            return True
        return end <= found.start <= end + reach and self.clauses[start] == self.clauses[found.start]
