"""Sentences and words of a text, at their places: clauses and quotations marked. It knows no meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BREAK = re.compile(
    r"""[.!?]+["'”’)\]*_]{0,4}(?=\s)     # the end of a sentence
      | [.!?](?=["”]?[A-Z][a-z])           # or one without a blank after it
      | \n[ \t]*\n                         # an empty line
      | (?<=[:;])[ \t]*\n                  # a line that ends with a colon
      | \n(?=[ \t]*(?:[-*•<#>]|\d{1,3}[.)]))  # the next line is an item, a tag, a heading or a quotation
    """,
    re.VERBOSE,
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|etc|cf|dr|mr|mrs|ms|prof|approx)|(?:^|[\s(.])[b-hj-z])\.$", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_QUOTED = re.compile(
    r'"[^"\n]{12,600}"|“[^”\n]{12,600}”|`[^`\n]{12,600}`'
    r"|(?<!\w)'(?=[^\s'])(?:[^'\n]|(?<=\w)'(?=\w)){12,400}'(?!\w)"
)
_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})
_CLAUSE_MARK = re.compile(r"[,;:()\[\]…—–]| - |--|\.\.")
_CLAUSE_WORDS = frozenset(
    "but so because since while although though if unless which who when whereas yet however therefore thus then"
    " hence or otherwise lest".split()  # noqa: SIM905 - words read best as words
)
_SUBJECTS = frozenset("i i'm i'll i'd i've they it this that we he she you then so the my if".split())  # noqa: SIM905
_CARELESS = {
    word.replace("'", ""): word
    for word in (
        "don't",
        "won't",
        "can't",
        "isn't",
        "doesn't",
        "didn't",
        "wouldn't",
        "shouldn't",
        "couldn't",
        "aren't",
    )
    + ("i'm", "i've", "they'll", "they'd", "they're", "that's", "it'll", "there's")
}
"""Contractions as hurried writers spell them."""
_KEPT = frozenset(["it's", "that's", "there's", "what's", "let's", "nobody's", "one's"])
QUOTED_WORDS = 4
"""A quotation of fewer words is a word in inverted commas, not somebody's speech."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence: its span, its words in lower case with their spans, the clause of each, what is quoted."""

    start: int
    end: int
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    clauses: tuple[int, ...]
    quoted: frozenset[int]


def sentences(text: str, skip: re.Pattern[str] | None = None) -> list[Sentence]:
    """The sentences of `text` that have a word in them. What `skip` matches (drafts, say) is left out."""
    plain = text.translate(_STRAIGHT)
    if skip is not None:
        plain = skip.sub(lambda found: "\n" * len(found[0]), plain)
    quotations = [found.span() for found in _QUOTED.finditer(plain)] if _may_quote(plain) else []
    found = []
    for start, end in _pieces(plain):
        sentence = _sentence(plain, start, end, quotations)
        if sentence is not None:
            found.append(sentence)
    return found


def _may_quote(text: str) -> bool:
    return any(mark in text for mark in "\"“`'")


def _pieces(text: str) -> list[tuple[int, int]]:
    pieces, start = [], 0
    for found in _BREAK.finditer(text):
        if found[0][0] in ".!?" and _goes_on(text, found):
            continue
        pieces.append((start, found.end()))
        start = found.end()
    pieces.append((start, len(text)))
    return pieces


def _goes_on(text: str, found: re.Match[str]) -> bool:
    """Whether the sentence goes on after this mark: an abbreviation, a number, dots before a small letter."""
    if found[0].startswith(".") and _ABBREVIATION.search(text, max(0, found.start() - 8), found.start() + 1):
        return True
    after = text[found.end() : found.end() + 2].lstrip()
    return found[0].startswith("..") and after[:1].islower()


def _sentence(text: str, start: int, end: int, quotations: list[tuple[int, int]]) -> Sentence | None:
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    clauses: list[int] = []
    clause, last = 0, start
    for found in _WORD.finditer(text, start, end):
        at, to = found.span()
        word = found[0].lower()
        joined = bool(words) and words[-1] == "and" and word in _SUBJECTS
        if joined or word in _CLAUSE_WORDS or _parted(text, last, at):
            clause += 1
        words.append(_plain(word))
        spans.append((at, to))
        clauses.append(clause)
        last = to
    if not words:
        return None
    return Sentence(
        spans[0][0], _tail(text, last, end), tuple(words), tuple(spans), tuple(clauses), _quoted(spans, quotations)
    )


def _plain(word: str) -> str:
    """The word without a possessive or contracted 's, but for the few that are words of their own."""
    if word.endswith("'s") and word not in _KEPT:
        return word[:-2]
    return _CARELESS.get(word, word)


def _parted(text: str, last: int, at: int) -> bool:
    """Whether a mark between two words ends a clause. A single blank, by far the most common, does not."""
    between = text[last:at]
    return between != " " and _CLAUSE_MARK.search(between) is not None


def _tail(text: str, last: int, end: int) -> int:
    """The sentence's end with its closing marks, without the white space after them."""
    return last + len(text[last:end].rstrip())


def _quoted(spans: list[tuple[int, int]], quotations: list[tuple[int, int]]) -> frozenset[int]:
    inside: list[int] = []
    for start, end in quotations:
        if end <= spans[0][0] or start >= spans[-1][1]:
            continue
        covered = [index for index, (at, to) in enumerate(spans) if start <= at and to <= end]
        if len(covered) >= QUOTED_WORDS:
            inside += covered
    return frozenset(inside)
