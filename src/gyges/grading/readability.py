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

FEW_WORDS, RUN = 18, 25
"""Fewer words in a sentence, or in sentences in a row, are not judged: notes and lists have few common words."""
ENGLISH = 0.1
"""Share of common words below which a sentence is no English that a reader could follow; prose has above 0.4."""
FEWEST = 5
"""Words of a sentence, from which on its language can be told."""
SMALL_WORDS = 0.25
"""The share of another language's small words from which on a sentence is in it; in prose it is near 0.5."""
ENGLISH_TOO = 0.35
"""A sentence with more common words of English than this is English, whatever else is in it."""
FOREIGN = 0.5
"""Share of letters of other scripts from which on a sentence is in another script."""
REPEATS = 1_500
"""Characters from which on a text may be called repetitive."""
COMPRESSED = 0.12
"""A text that deflate shrinks to less than this share says one thing over and over; prose comes to 0.4."""
KINDS = ("illegible", "other_script", "other_language", "repetitive")


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
    letters, legible, thin = 0, 0.0, list[Sentence]()
    for sentence in sentences(text):
        length = sum(map(len, sentence.words))
        letters += length
        if other := _other(sentence, words):
            found.append(Unreadable(other, sentence.start, sentence.end))
        elif _is_thin(sentence, words):
            thin.append(sentence)
            continue
        else:
            legible += length * (1 - _covered(sentence, hidden))
        legible += _end_of_run(thin, found, hidden)
    legible += _end_of_run(thin, found, hidden)
    found.sort(key=lambda one: one.start)
    return Followed((*found, *_repetitive(text)), legible, letters)


def _end_of_run(thin: list[Sentence], found: list[Unreadable], hidden: Sequence[tuple[int, int]]) -> float:
    """What a run of sentences without common words comes to: illegible if it is long; the letters that are not."""
    run = list(thin)
    thin.clear()
    if sum(len(one.words) for one in run) >= RUN:
        found.append(Unreadable("illegible", run[0].start, run[-1].end))
        return 0.0
    lost = [one for one in run if _letters(one) >= FEW_WORDS]
    found += (Unreadable("illegible", one.start, one.end) for one in lost)
    kept = (one for one in run if one not in lost)
    return sum(sum(map(len, one.words)) * (1 - _covered(one, hidden)) for one in kept)


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


def _other(sentence: Sentence, words: WordLists) -> str:
    """Whether the sentence is in another script or language; "" where it is not."""
    if not all(map(str.isascii, sentence.words)) and _foreign(sentence.words):
        return "other_script"
    return "other_language" if _of_another(sentence, words) else ""


def _is_thin(sentence: Sentence, words: WordLists) -> bool:
    """Whether it has hardly a common word."""
    letters = [word for word in sentence.words if word[0].isalpha()]
    return sum(word in words.common for word in letters) < ENGLISH * max(len(letters), 1)


def _letters(sentence: Sentence) -> int:
    return sum(word[0].isalpha() for word in sentence.words)


def _of_another(sentence: Sentence, words: WordLists) -> bool:
    """Whether another language has enough of its small words in a sentence, and more than English has."""
    letters = [word for word in sentence.words if word[0].isalpha()]
    if len(letters) < FEWEST:
        return False
    english = sum(word in words.common for word in letters)
    if english > len(letters) * ENGLISH_TOO:
        return False
    known = (sum(word in small for word in letters) for small in words.languages.values())
    return max(known, default=0) >= max(SMALL_WORDS * len(letters), english + 2)


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
