"""A trained reader of text that speaks to a grader: which sentences say it, or two together. It knows no file.

Most sentences have no word of judging: what their words add up to alone says so, and only the others are read in
full.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gyges.grading.classifier import CACHED, SOFTEN, Scored, Scorer

LABEL = "addressed"
"""The only label that is read for."""
MARK = "§"
"""What stands before a sign or a mark of layout where it is read as a word."""
FOREIGN, LONG = 20.0, 6
"""What a word of so many letters or more adds where it isn't in ASCII, so that its sentence is read in full."""
_LAYOUT = re.compile(
    r"(?P<heading>\A#{1,6} )|(?P<comment><!--|/[/*]|\A[#;%] |\{[#%]|--\[)|(?P<bracket>\A[\[(*_¹²†])"
    r"|(?P<key>[\w\"'\]]: ?[\"'\[{\d])|(?P<set>\w ?={1,2} ?[\"'\w])|(?P<ratio>\d ?/ ?\d)"
    r"|(?P<tick>\[ ?[xX✓] ?\]|[☑✅✔])"
    r"|(?P<tag></?[a-z]\w{0,20}[ >/])|(?P<hashed>#[A-Za-z]\w{2,})|(?P<at>(?<!\w)@\w{2,})"
    r"|(?P<caps>\b[A-Z]{4,} [A-Z]{2,})|(?P<called>\A[^\s:]+(?: [^\s:]+){0,4} ?:)"
    r"|(?P<quote>[\"“«][\w ]{2,30}[\"”»])"
    r"|(?P<foreign>[^\x00-\x7f\u2010-\u203a\u20ac£°½]{2,})"
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence to be read: its text, its words in lower case, and the signs that are in it."""

    text: str
    words: tuple[str, ...]
    signs: Collection[str] = ()

    def tokens(self) -> tuple[str, ...]:
        """The words, and after them the signs and the marks of layout."""
        layout = {found.lastgroup or "" for found in _LAYOUT.finditer(self.text)}
        return (*self.rough(), *(f"{MARK}{name}" for name in sorted(layout)))

    def rough(self) -> tuple[str, ...]:
        """The words and the signs, which are known without a look at the text."""
        return (*self.words, *(f"{MARK}{name}" for name in sorted(self.signs)))


@dataclass
class AddressReader(Scorer):
    """The reader: one column. Log-odds; a sentence is read if its words alone add up to `rough`."""

    threshold: float = 0.0
    """Found is a sentence, or two, with at least so much,"""
    beside: float = 0.0
    """and beside one that is found a sentence with at least so much."""
    rough: float = 0.0
    alone: dict[str, tuple[float, int]] = field(default_factory=dict)
    """What each word met adds up to, and how many tokens it is."""

    def read(self, sentences: Sequence[Spoken]) -> frozenset[int]:
        """Those of the sentences, which follow each other, that speak to a grader.

        What is left is read again without what was found, since it may then stand side by side.
        """
        left = [(at, one, *self._roughly(one)) for at, one in enumerate(sentences)]
        found: set[int] = set()
        while here := self._found([one[1] for one in left], [one[2:] for one in left]):
            found |= {left[at][0] for at in here}
            left = [one for at, one in enumerate(left) if at not in here]
        return frozenset(found)

    def scored(self, sentences: Sequence[Spoken]) -> Scored:
        """The scores of all sentences, each in full."""
        sums = self.sum([one.tokens() for one in sentences], [one.text.endswith("?") for one in sentences])
        return self.score(sums, [True] * (len(sentences) - 1) + [False])

    def _found(self, sentences: Sequence[Spoken], rough: Sequence[tuple[float, int]]) -> set[int]:
        worth = {at for at, one in enumerate(rough) if self._enough(*one)}
        both = [(one[0] + two[0], one[1] + two[1]) for one, two in pairwise(rough)]
        pairs = {at for at, one in enumerate(both) if self._enough(*one)}
        chosen = sorted(worth | pairs | {at + 1 for at in pairs})
        if not chosen:
            return set()
        scored = self.scored([sentences[at] for at in chosen])
        one = {at: float(scored.one[place, 0]) for place, at in enumerate(chosen)}
        two = {at: float(scored.two[place, 0]) for place, at in enumerate(chosen)}
        found = {at for at in worth if one[at] >= self.threshold}
        # Where neither says it alone, the clearer one is found; the other one below, if it has to do with it.
        found |= {
            max(at, at + 1, key=lambda place: one[place])
            for at in sorted(pairs)
            if two[at] >= self.threshold and found.isdisjoint((at, at + 1))
        }
        return found | self._beside(sentences, found)

    def _beside(self, sentences: Sequence[Spoken], found: set[int]) -> set[int]:
        near = sorted({at + step for at in found for step in (-1, 1)} - found)
        near = [at for at in near if 0 <= at < len(sentences)]
        scores = self.scored([sentences[at] for at in near]).one[:, 0] if near else ()
        return {at for at, score in zip(near, scores, strict=True) if score >= self.beside}

    def roughly(self, sentence: Spoken) -> float:
        """The score of a sentence by its words and signs alone."""
        return self._odds(*self._roughly(sentence))

    def _enough(self, total: float, length: int) -> bool:
        return self._odds(total, length) >= self.rough

    def _odds(self, total: float, length: int) -> float:
        return float(total / (length + SOFTEN) ** 0.5 + self.intercepts[0])

    def _roughly(self, sentence: Spoken) -> tuple[float, int]:
        total, length = 0.0, 0
        for word in sentence.rough():
            known = self.alone.get(word) or self._weigh(word)
            total += known[0]
            length += known[1]
        return total, length

    def _weigh(self, word: str) -> tuple[float, int]:
        if len(self.alone) >= CACHED:
            self.alone.clear()
        tokens = self.groups.tokens(word)
        rows = [self.rows[name] for token in tokens for name in token.alone if name in self.rows]
        # Where words aren't parted by blanks, only their pieces together say anything.
        other = FOREIGN if len(word) >= LONG and not word.isascii() and not word.startswith(MARK) else 0.0
        self.alone[word] = (float(self.weights[rows, 0].sum()) + other, len(tokens))
        return self.alone[word]
