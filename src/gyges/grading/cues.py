"""Cues in sentences: what their words say, unless they are negated, quoted, supposed or somebody else's.

It knows one sentence at a time; it reads many at once because that is faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gyges.grading.pattern import Pattern
from gyges.grading.places import Places, bits, spread, steps
from gyges.grading.rules import Flag, Rules
from gyges.grading.sentences import Sentence

BEFORE = 5
"""How many words before a cue a negation reaches, within its clause."""
SHORT = 3
"""Words in a sentence that says a flat no."""
SUPPOSED = 7
"""How many words before a cue a supposition reaches, within its clause."""
REACH: dict[Flag, int] = {"negated": BEFORE, "hypothetical": SUPPOSED, "others": SUPPOSED}
"""Flags that a marker raises for what comes after it, or around it."""
AT_ONCE = 60
"""Sentences that are read at once."""

Echo = Callable[[Sequence[str]], frozenset[int]]
"""Which of a sentence's words only repeat the prompt."""


class Cue(NamedTuple):
    """Something said in a sentence, from its word `start` to before its word `end`.

    `told` is True when the words are only reported (the prompt says ...): weaker, yet not nothing.
    """

    name: str
    start: int
    end: int
    told: bool = False


def readers(sentences: Sequence[Sentence], rules: Rules, echo: Echo | None = None) -> Iterator[Reader]:
    """Readers of some sentences of one text, of so many at once. `echo` is asked only where something is found."""
    for at in range(0, len(sentences), AT_ONCE):
        yield Reader(sentences[at : at + AT_ONCE], rules, echo)


class _Raised(NamedTuple):
    """What raises flags, as places: the words of sentences as a whole, where cues begin, where they end, words in
    their gaps; and where they begin near enough to a marker of one of the flags `reaching`.
    """

    whole: int = 0
    starts: int = 0
    ends: int = 0
    holes: int = 0
    near: int = 0
    reaching: tuple[Flag, ...] = ()
    quoted: bool = False


NOTHING = _Raised()
REACHING = {flag: steps(reach) for flag, reach in REACH.items()}


@dataclass(slots=True)
class Reader:
    """Some sentences of one text, and the cues in them that hold: all of them, or all of a name."""

    sentences: Sequence[Sentence]
    rules: Rules
    echo: Echo | None
    places: Places = field(init=False)
    patterns: Mapping[str, Sequence[Pattern]] = field(init=False)
    """Those that may match, by the name of their cue."""
    _told: _Raised = field(init=False)
    _quotes: bool = field(init=False)
    _flags: dict[Flag, _Raised] = field(default_factory=dict)
    _raised: dict[tuple[Flag, ...], _Raised] = field(default_factory=dict)
    _spans: dict[Flag, list[tuple[int, int]]] = field(default_factory=dict)
    _clauses: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _quoted: dict[int, frozenset[int]] = field(default_factory=dict)
    _echoed: dict[int, frozenset[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        words = [sentence.words for sentence in self.sentences]
        self.places, self.patterns = self.rules.lexicon.read(words, self.rules.marking)
        self._told = self._flags["attributed"] = self._reported()
        self._quotes = self.sentences[0].with_quotations

    def read(self) -> list[list[Cue]]:
        """The cues of each sentence, in the order of the rules."""
        found: list[list[Cue]] = [[] for _ in self.sentences]
        for name in self.patterns:
            for number, cue in self.named(name):
                found[number].append(cue)
        return found

    def named(self, name: str) -> list[tuple[int, Cue]]:
        """The cues of one name, each with the number of its sentence."""
        found: list[tuple[int, Cue]] = []
        if name not in self.patterns:
            return found
        flags, places = self.rules.unless[name], self.places
        whole, starts, ends, gaps, near, reaching, quoted = self._raised.get(flags) or self._raise(flags)
        gaps |= places.barrier
        within = ~whole
        for pattern in self.patterns[name]:
            settled = 0
            for start, end, holes in pattern.find(places, within):
                if holes & gaps or (starts and starts >> start & 1) or (ends and ends >> end & 1):
                    continue
                number = places.owners[start]
                if near and near >> start & 1 and self._reached(reaching, start, number):
                    continue
                first = places.firsts[number]
                if quoted and start - first in (self._quoted.get(number) or self._quotations(number)):
                    continue
                if self.echo is not None and self._echoes(self.echo, range(start - first, end - first), number):
                    continue
                found.append((number, Cue(name, start - first, end - first, self._is_told(start, end))))
                settled |= places.wholes[number]
            within &= ~settled
        return found

    def _is_told(self, start: int, end: int) -> bool:
        told = self._told
        return told is not NOTHING and bool(told.starts >> start & 1 or told.ends >> end & 1)

    def _raise(self, flags: tuple[Flag, ...]) -> _Raised:
        whole = starts = ends = holes = near = 0
        reaching: tuple[Flag, ...] = ()
        for flag in flags:
            one = self._flags.get(flag)
            if one is None:
                one = self._flags[flag] = self._flag(flag)
            if one is not NOTHING:
                whole, starts, ends = whole | one.whole, starts | one.starts, ends | one.ends
                holes, near, reaching = holes | one.holes, near | one.near, reaching + one.reaching
        quoted = "quoted" in flags and self._quotes
        raised = self._raised[flags] = _Raised(whole, starts, ends, holes, near, reaching, quoted)
        return raised

    def _flag(self, flag: Flag) -> _Raised:
        places = self.places
        match flag:
            case "asked":
                raising = {at for at, one in enumerate(self.sentences) if one.asked}
            case "long":
                raising = {at for at, size in enumerate(places.sizes) if size > SHORT}
            case "later" | "unreal" | "unused":
                raising = {places.owners[at] for at in bits(places.starts[self.rules.markers[flag]])}
            case "denied":
                return _Raised(ends=places.starts[self.rules.markers["negation"]])
            case "negated" | "hypothetical" | "others":
                return self._reach(flag)
            case _:
                return NOTHING
        return _Raised(sum(places.wholes[at] for at in raising)) if raising else NOTHING

    def _reach(self, flag: Flag) -> _Raised:
        number = self.rules.markers["negation" if flag == "negated" else flag]
        starts = self.places.starts[number]
        if not starts:
            return NOTHING
        ends = self.places.ends(number, starts)
        if flag == "negated" and self.places.starts[self.rules.markers["no_negation"]]:
            spans = self._markers(flag)
            starts, ends = (sum(1 << one for one in {span[at] for span in spans}) for at in (0, 1))
        return _Raised(holes=starts, near=spread(ends, REACHING[flag]), reaching=(flag,))

    def _markers(self, flag: Flag) -> list[tuple[int, int]]:
        """Where a flag's markers stand, but for harmless negations."""
        if flag not in self._spans:
            spans = self.places.spans(self.rules.markers["negation" if flag == "negated" else flag])
            if flag == "negated" and (harmless := self.places.spans(self.rules.markers["no_negation"])):
                spans = [
                    (start, end)
                    for start, end in spans
                    if not any(at <= start and end <= to for at, to in harmless)
                ]
            self._spans[flag] = spans
        return self._spans[flag]

    def _reached(self, flags: Sequence[Flag], start: int, number: int) -> bool:
        """Whether a marker of one of the flags stands shortly before a word, in its clause."""
        first = self.places.firsts[number]
        for flag in flags:
            reach = REACH[flag]
            for at, end in self._markers(flag):
                if first <= at and end <= start <= end + reach:
                    clauses = self._clauses.get(number) or self._divided(number)
                    if clauses[at - first] == clauses[start - first]:
                        return True
        return False

    def _divided(self, number: int) -> tuple[int, ...]:
        self._clauses[number] = self.sentences[number].clauses()
        return self._clauses[number]

    def _quotations(self, number: int) -> frozenset[int]:
        if number not in self._quoted:
            self._quoted[number] = self.sentences[number].quoted()
        return self._quoted[number]

    def _echoes(self, echo: Echo, words: range, number: int) -> bool:
        if number not in self._echoed:
            self._echoed[number] = echo(self.sentences[number].words)
        return bool(self._echoed[number]) and self._echoed[number].issuperset(words)

    def _reported(self) -> _Raised:
        """Where cues begin that the sentence says before whose words they are, with no turn in between; and where
        those end that it says so right after, at its end.
        """
        places = self.places
        starts = ends = 0
        turns = places.starts[self.rules.markers["turn"]]
        for at, after in places.spans(self.rules.markers["attribution"]):
            number = places.owners[at]
            last = places.firsts[number] + places.sizes[number]
            turn = turns >> after
            until = min(last, after + (turn & -turn).bit_length()) if turn else last
            starts |= (1 << until) - (1 << after) if until > after else 0
            if after == last:
                ends |= 1 << at | 1 << at >> 1  # "..., the prompt says."
        return _Raised(starts=starts, ends=ends) if starts or ends else NOTHING
