"""What a sentence offers to a trained classifier: its stems, their groups, pairs and triples, pieces of words.

It knows neither labels nor weights. A group is words that stand for each other, such as those for keeping.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

PIECE = (3, 4, 5)
"""Letters in a piece of a word."""
SHORTEST = 4
"""Shorter words are not taken to pieces."""
LONGEST = 24
"""Of a longer word only so many letters are read."""
_SPLIT = {
    "cannot": ("can", "not"),
    "can't": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "ain't": ("is", "not"),
    "let's": ("let", "us"),
    "gonna": ("going", "to"),
}
_ENDINGS = {"'ll": "will", "'d": "would", "'ve": "have", "'re": "are", "'m": "am", "'s": "is"}
_SUFFIX = re.compile(r"(?:ations?|ition|ingly|edly|ings?|ied|ies|ed|es|ly|e|s|y)$")
_DOUBLED = re.compile(r"([bdgklmnprt])\1$")


@dataclass(frozen=True, slots=True)
class Token:
    """A word's stem, the name of its group or "", and what it offers alone."""

    stem: str
    group: str
    alone: tuple[str, ...]


Phrase = tuple[tuple[str, ...], str]
"""The stems of a phrase, and the name of its group."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Words in groups: exact ones, and beginnings. A word belongs to one group at most.

    A phrase, several stems in a row, stands by its first two, longer ones first; it has a group of its own.
    """

    exact: Mapping[str, str]
    beginnings: Mapping[str, str]
    phrases: Mapping[tuple[str, ...], Sequence[Phrase]] = field(default_factory=dict)

    def tokens(self, word: str) -> tuple[Token, ...]:
        """A word in lower case as tokens; a contraction is two."""
        return tuple(self._token(part) for part in _parts(word[:LONGEST]))

    def together(self, stems: Sequence[str], groups: Sequence[str]) -> list[str]:
        """What a sentence's stems offer beside each other, and their groups ("" for none), phrases among them."""
        if not self.phrases:
            return together(stems, [group for group in groups if group])
        inside, names = self._phrases(stems, groups)
        return [*(f"g:{name}" for name in names), *together(stems, inside)]

    def _phrases(self, stems: Sequence[str], groups: Sequence[str]) -> tuple[list[str], list[str]]:
        """The groups in order, a phrase's in place of its words', and those of phrases alone."""
        inside: list[str] = []
        names: list[str] = []
        at = 0
        while at < len(stems):
            size, group = self._phrase(stems, at)
            names += [group] * bool(group)
            inside.append(group or groups[at])
            at += size
        return [group for group in inside if group], names

    def _phrase(self, stems: Sequence[str], at: int) -> tuple[int, str]:
        """How many stems from `at` on are a phrase, and its group; 1 and "" where there is none."""
        for phrase, group in self.phrases.get(tuple(stems[at : at + 2]), ()):
            if tuple(stems[at : at + len(phrase)]) == phrase:
                return len(phrase), group
        return 1, ""

    def _token(self, word: str) -> Token:
        root, group = stem(word), self._group(word)
        named = (f"w:{root}", f"g:{group}") if group else (f"w:{root}",)
        return Token(root, group, (*named, *_pieces(word)))

    def _group(self, word: str) -> str:
        if word in self.exact:
            return self.exact[word]
        for size in range(len(word), 1, -1):
            if word[:size] in self.beginnings:
                return self.beginnings[word[:size]]
        return ""


def groups_of(words: Mapping[str, Sequence[str]]) -> Groups:
    """Groups by name; a word with * after it stands for all that begin so. The first group that has it wins.

    Words with blanks between them are a phrase, with | between those that may stand in one place of it:
    `go|going along with`.
    """
    exact: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    phrases: dict[tuple[str, ...], str] = {}
    for name, members in words.items():
        for word in members:
            if " " in word:
                phrases.update((stems, name) for stems in _spelt(word) if stems not in phrases)
                continue
            into, key = (beginnings, word[:-1]) if word.endswith("*") else (exact, word)
            into.setdefault(key, name)
    by_start: dict[tuple[str, ...], list[Phrase]] = {}
    for phrase in sorted(phrases.items(), key=lambda phrase: -len(phrase[0])):
        by_start.setdefault(phrase[0][:2], []).append(phrase)
    return Groups(exact, beginnings, by_start)


def _spelt(phrase: str) -> list[tuple[str, ...]]:
    """The stems of every spelling of a phrase."""
    spelt = product(*(place.split("|") for place in phrase.split()))
    return [tuple(stem(part) for word in words for part in _parts(word)) for words in spelt]


def together(stems: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Pairs and triples of stems that follow each other, and of groups, whatever stands between those."""
    return [
        *[f"w:{a} {b}" for a, b in pairwise(stems)],
        *[f"w:{a} {b} {c}" for a, b, c in zip(stems, stems[1:], stems[2:], strict=False)],
        *[f"g:{a} {b}" for a, b in pairwise(groups)],
        *[f"g:{a} {b} {c}" for a, b, c in zip(groups, groups[1:], groups[2:], strict=False)],
    ]


def stem(word: str) -> str:
    """The word without what inflection adds, roughly; numbers are all alike."""
    if word.isdigit():
        return "0"
    if len(word) <= 4:
        return word
    shorter = _SUFFIX.sub("", word)
    return _DOUBLED.sub(r"\1", shorter) if len(shorter) >= 3 else word


def _pieces(word: str) -> list[str]:
    if len(word) < SHORTEST:
        return []
    padded = f"^{word}$"
    return [f"c:{padded[at : at + size]}" for size in PIECE for at in range(len(padded) - size + 1)]


def _parts(word: str) -> tuple[str, ...]:
    if word in _SPLIT:
        return _SPLIT[word]
    if word.endswith("n't"):
        return word[:-3], "not"
    for ending, full in _ENDINGS.items():
        if word.endswith(ending) and len(word) > len(ending):
            return word[: -len(ending)], full
    return (word,)
