"""What of a text a reader could not follow: other scripts, sentences that are no English, one thing over and over.

It knows letters and the common words of one language; text that hides another text is for `encoding.py`.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gyges.grading.encoding import WordLists
from gyges.grading.sentences import Sentence, sentences

FEW_WORDS = 18
"""A sentence of fewer words is not judged: terse notes, names and lists have few common words."""
ENGLISH = 0.1
"""Share of common words below which a sentence is no English that a reader could follow; prose has above 0.4."""
FOREIGN = 0.5
"""Share of letters of other scripts from which on a sentence is in another script."""
REPEATS = 1_500
"""Characters from which on a text may be called repetitive."""
COMPRESSED = 0.12
"""A text that deflate shrinks to less than this share says one thing over and over; prose comes to 0.4."""
KINDS = ("illegible", "other_script", "repetitive")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stretch of a text that a reader of English can't follow, or need not."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Followed:
    """What a reader could follow of a text: the stretches that he could not, and letters of how many letters."""

    unreadable: tuple[Unreadable, ...]
    legible: float
    letters: int


def followed(text: str, words: WordLists, hidden: Sequence[tuple[int, int]] = ()) -> Followed:
    """Read a text as somebody who reads English would, with the spans of it that hide another text.

    Unreadable stretches are in order of place; a repetitive text is one as a whole, and its letters can be read.
    """
    found: list[Unreadable] = []
    letters, legible = 0, 0.0
    for sentence in sentences(text):
        length = sum(map(len, sentence.words))
        letters += length
        if one := _sentence(sentence, words):
            found.append(one)
        else:
            legible += length * (1 - _covered(sentence, hidden))
    return Followed((*found, *_repetitive(text)), legible, letters)


def share(read: Iterable[Followed]) -> float:
    """The share of the letters of some texts that a reader could follow; 1 where there are none."""
    legible, letters = 0.0, 0
    for one in read:
        legible, letters = legible + one.legible, letters + one.letters
    return legible / letters if letters else 1.0


def _covered(sentence: Sentence, spans: Sequence[tuple[int, int]]) -> float:
    """The share of a sentence's characters that stand in these spans."""
    inside = sum(max(0, min(end, sentence.end) - max(start, sentence.start)) for start, end in spans)
    return min(1.0, inside / (sentence.end - sentence.start)) if inside else 0.0


def _sentence(sentence: Sentence, words: WordLists) -> Unreadable | None:
    if not all(map(str.isascii, sentence.words)) and _foreign(sentence.words):
        return Unreadable("other_script", sentence.start, sentence.end)
    letters = [word for word in sentence.words if word[0].isalpha()]
    if len(letters) >= FEW_WORDS and sum(word in words.common for word in letters) < ENGLISH * len(letters):
        return Unreadable("illegible", sentence.start, sentence.end)
    return None


def _foreign(words: tuple[str, ...]) -> bool:
    letters = "".join(words)
    return sum(not _latin(one) for one in letters) >= FOREIGN * len(letters)


@lru_cache(maxsize=4_096)
def _latin(letter: str) -> bool:
    return not letter.isalpha() or letter.isascii() or unicodedata.name(letter, "").startswith("LATIN")


def _repetitive(text: str) -> Iterator[Unreadable]:
    if len(text) >= REPEATS:
        data = text.encode("utf-8", "replace")
        if len(zlib.compress(data, 1)) < COMPRESSED * len(data):
            start = len(text) - len(text.lstrip())
            yield Unreadable("repetitive", start, len(text.rstrip()))
