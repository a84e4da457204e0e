"""Sentences and words of a text, at their places: clauses and quotations marked. It knows no meaning."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_BREAK = re.compile(
    r"""[.!?]+["'”’)\]*_]{0,4}(?=\s)     # the end of a sentence
      | [.!?](?=["”]?[A-Z][a-z])           # or one without a blank after it
      | [。！？]                           # or of one in Chinese or Japanese
      | \n[ \t]*\n                         # an empty line
      | (?<=[:;])\n                        # a line that ends with a colon
      | \n(?=[ \t]*(?:[-*•<#>]|\d{1,3}[.)]))  # the next line is an item, a tag, a heading or a quotation
    """,
    re.VERBOSE,
)
_MARK = re.compile(r"[.!?。！？\n]")
"""Where such a break may begin: found first, as it is quickly found."""
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|etc|cf|dr|mr|mrs|ms|prof|approx)|(?:^|[\s(.])[b-hj-z])\.$", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*")
"""The same where there are no other letters, which is sooner known."""
_QUOTED = re.compile(
    r'"[^"\n]{12,600}"|“[^”\n]{12,600}”|`[^`\n]{12,600}`'
    r"|(?<!\w)'(?=[^\s'])(?:[^'\n]|(?<=\w)'(?=\w)){12,400}'(?!\w)"
)
_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})
_CLAUSE_MARK = re.compile(r"[,;:()\[\]…—–]| - |--|\.\.")
_TOKEN = re.compile(f"{_WORD.pattern}|{_CLAUSE_MARK.pattern}")
_CLAUSE_WORDS = frozenset(
    (
        *("but", "so", "because", "since", "while", "although", "though", "if", "unless", "which", "who", "when"),
        *("whereas", "yet", "however", "therefore", "thus", "then", "hence", "or", "otherwise", "lest"),
    )
)
_SUBJECTS = frozenset(
    (
        *("i", "i'm", "i'll", "i'd", "i've", "they", "it", "this", "that", "we", "he", "she", "you", "then", "so"),
        *("the", "my", "if"),
    )
)
_CARELESS = {
    word.replace("'", ""): word
    for word in (
        *("don't", "won't", "can't", "isn't", "doesn't", "didn't", "wouldn't", "shouldn't", "couldn't", "aren't"),
        *("i'm", "i've", "they'll", "they'd", "they're", "that's", "it'll", "there's"),
    )
}
"""Contractions as hurried writers spell them."""
_KEPT = frozenset(["it's", "that's", "there's", "what's", "let's", "nobody's", "one's"])
_REMEMBERED = 50_000
QUOTED_WORDS = 4
"""A quotation of fewer words is a word in inverted commas, not somebody's speech."""


class Sentence(NamedTuple):
    """A sentence: its span in the text, and its words in lower case. Most need no more than that."""

    text: str
    start: int
    end: int
    words: tuple[str, ...]

    @property
    def asked(self) -> bool:
        """Whether it ends with a question mark."""
        return self.text[self.end - 1] == "?"

    @property
    def with_quotations(self) -> bool:
        """Whether there is a quotation anywhere in its text."""
        return bool(_quotations(self.text))

    def clauses(self) -> tuple[int, ...]:
        """For each word, the number of its clause."""
        numbers: list[int] = []
        clause, before, parted = 0, "", False
        for token in _TOKEN.findall(self.text, self.start, self.end):
            if not token[0].isalnum():
                parted = True
                continue
            word = token.lower()
            if parted or word in _CLAUSE_WORDS or (before == "and" and word in _SUBJECTS):
                clause += 1
            numbers.append(clause)
            before, parted = word, False
        return tuple(numbers)

    def quoted(self) -> frozenset[int]:
        """The words that stand within a quotation."""
        quotations = self._quotations()
        if not quotations:
            return frozenset()
        spans = [found.span() for found in _WORD.finditer(self.text, self.start, self.end)]
        inside: list[int] = []
        for start, end in quotations:
            covered = [index for index, (at, to) in enumerate(spans) if start <= at and to <= end]
            inside += covered if len(covered) >= QUOTED_WORDS else []
        return frozenset(inside)

    def _quotations(self) -> Sequence[tuple[int, int]]:
        """The quotations of the text that reach into this sentence."""
        known = _quotations(self.text)
        first = bisect_left(known, (self.start, 0))
        if first and known[first - 1][1] > self.start:
            first -= 1
        return known[first : bisect_left(known, (self.end, 0))]


def sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of `text` that have a word in them. Several readers ask for those of one text in turn."""
    return _cut(text)


@lru_cache(maxsize=4)
def _cut(text: str) -> tuple[Sentence, ...]:
    plain = text.translate(_STRAIGHT)
    find = (_ASCII_WORD if plain.isascii() else _WORD).findall
    known = _PLAIN.__getitem__
    found = []
    for start, end in _pieces(plain):
        words = find(plain, start, end)
        if words:
            piece = plain[start:end]
            inner = start + len(piece) - len(piece.lstrip())
            found.append(Sentence(plain, inner, start + len(piece.rstrip()), tuple(map(known, words))))
    return tuple(found)


def _pieces(text: str) -> list[tuple[int, int]]:
    pieces, start, read = [], 0, 0
    for mark in _MARK.finditer(text):
        at = mark.start()
        if at < read:
            continue
        if text[at] == "\n" and _after_colon(text, at):
            read = at + 1
        elif found := _BREAK.match(text, at):
            read = found.end()
            if found[0][0] in ".!?" and _goes_on(text, found):
                continue
        else:
            continue
        pieces.append((start, read))
        start = read
    pieces.append((start, len(text)))
    return pieces


def _after_colon(text: str, at: int) -> bool:
    """Whether only blanks stand between a colon and the end of its line at `at`."""
    before = at
    while before > 0 and text[before - 1] in " \t":
        before -= 1
    return 0 < before < at and text[before - 1] in ":;"


def _goes_on(text: str, found: re.Match[str]) -> bool:
    """Whether the sentence goes on after this mark: an abbreviation, a number, dots before a small letter."""
    if not found[0].startswith("."):
        return False
    if _ABBREVIATION.search(text, max(0, found.start() - 8), found.start() + 1):
        return True
    return found[0].startswith("..") and text[found.end() : found.end() + 2].lstrip()[:1].islower()


def _plain(word: str) -> str:
    """The word in lower case, without its 's unless that makes it a word of its own."""
    word = word.lower()
    if word.endswith("'s") and word not in _KEPT:
        return word[:-2]
    return _CARELESS.get(word, word)


@lru_cache(maxsize=8)
def _quotations(text: str) -> tuple[tuple[int, int], ...]:
    return tuple(found.span() for found in _QUOTED.finditer(text))


class _Plain(dict[str, str]):
    """The words met, as `_plain` has them."""

    def __missing__(self, word: str) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()  # no text may fill the memory
        self[word] = _plain(word)
        return self[word]


_PLAIN = _Plain()
