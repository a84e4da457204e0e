"""What a sentence offers to a trained classifier: its stems, their groups, pairs and triples, pieces of words.

It knows neither labels nor weights. A group is words that stand for each other, such as those for keeping.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

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


@dataclass(frozen=True, slots=True)
class Groups:
    """Words in groups: exact ones, and beginnings. A word belongs to one group at most."""

    exact: Mapping[str, str]
    beginnings: Mapping[str, str]

    def tokens(self, word: str) -> tuple[Token, ...]:
        """A word in lower case as tokens; a contraction is two."""
        return tuple(self._token(part) for part in _parts(word[:LONGEST]))

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
    """Groups by name; a word with * after it stands for all that begin so. The first group that has it wins."""
    exact: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    for name, members in words.items():
        for word in members:
            into, key = (beginnings, word[:-1]) if word.endswith("*") else (exact, word)
            into.setdefault(key, name)
    return Groups(exact, beginnings)


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
