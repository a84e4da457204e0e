"""What of a text a reader could not follow: other scripts, other languages, no language, one thing over and over.

It knows letters, and the common words of one language and their order; hidden text is for `encoding.py`.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from gyges.grading.encoding import WordLists
from gyges.grading.sentences import Sentence, sentences
from gyges.grading.word_order_file import english

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
HIDDEN = 0.5
"""The share of a sentence that hides another text from which on the order of its words says nothing."""
REPEATS = 1_500
"""Characters from which on a text may be called repetitive."""
COMPRESSED = 0.12
"""A text that deflate shrinks to less than this share says one thing over and over; prose comes to 0.4."""
ENOUGH = 0.5
"""With less of the letters of a reasoning read, what was not found in it can't be said not to be there."""
ILLEGIBLE, SCRIPT, LANGUAGE = UNFOLLOWED = ("illegible", "other_script", "other_language")
"""What a reader can't follow."""
KINDS = (*UNFOLLOWED, "repetitive")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stretch of a text that a reader of English can't follow, or need not."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Followed:
    """What a reader could follow of a text: the stretches that he could not, and letters of how many letters.

    `decoded` are letters that he could not follow, and that were read all the same since they hide another text.
    """

    unreadable: tuple[Unreadable, ...]
    legible: float
    letters: int
    decoded: float = 0.0


def followed(text: str, words: WordLists, hidden: Sequence[tuple[int, int]] = ()) -> Followed:
    """Read a text as somebody who reads English would, with the spans of it that hide another text.

    Unreadable stretches are in order of place; a repetitive text is one as a whole, and its letters can be read.
    """
    found = sentences(text)
    common = [_common(one, words) for one in found]
    other = _beside([_other(*each, words) for each in zip(found, common, strict=True)], common)
    covered = [_covered(one, hidden) if hidden else 0.0 for one in found]
    lost = {*_without_words(found, other, common), *_without_order(found, other, covered)}
    kinds = [kind or (ILLEGIBLE if at in lost else "") for at, kind in enumerate(other)]
    letters = [sum(map(len, one.words)) for one in found]
    shares = list(zip(kinds, letters, covered, strict=True))
    legible = sum((count * (1 - inside) for kind, count, inside in shares if not kind), 0.0)
    decoded = sum((count * inside for _, count, inside in shares), 0.0)
    return Followed((*_stretches(found, kinds), *_repetitive(text)), legible, sum(letters), decoded)


def _beside(other: Sequence[str], common: Sequence[float]) -> Sequence[str]:
    """The same with sentences beside one in another language that are no English either: they are in it, too."""
    if LANGUAGE not in other:
        return other
    kinds, count = list(other), len(other)
    forth, back = ((at, at - 1) for at in range(1, count)), ((at, at + 1) for at in range(count - 2, -1, -1))
    for at, near in (*forth, *back):
        if not kinds[at] and kinds[near] == LANGUAGE and common[at] < SMALL_WORDS:
            kinds[at] = LANGUAGE
    return kinds


def _without_words(found: Sequence[Sentence], other: Sequence[str], common: Sequence[float]) -> Iterator[int]:
    """Sentences, by number, that have hardly a common word: long ones, and all in a row that is long."""
    thin = (not kind and share < ENGLISH for kind, share in zip(other, common, strict=True))
    for is_thin, row in groupby(enumerate(thin), key=itemgetter(1)):
        if is_thin:
            long = {at: _long(found[at]) for at, _ in row}
            all_of = sum(long.values()) >= RUN
            yield from (at for at, count in long.items() if all_of or count >= FEW_WORDS)


def _without_order(found: Sequence[Sentence], other: Sequence[str], covered: Sequence[float]) -> Iterator[int]:
    """Sentences, by number, whose words don't follow each other as in English; none that hides another text."""
    rest = [at for at, kind in enumerate(other) if not kind and covered[at] < HIDDEN]
    for start, end in english().runs([found[at] for at in rest]):
        yield from rest[start:end]


def _stretches(found: Sequence[Sentence], kinds: Sequence[str]) -> Iterator[Unreadable]:
    """Illegible sentences in a row are one stretch, others one each."""
    for kind, same in groupby(zip(kinds, found, strict=True), key=itemgetter(0)):
        row = [one for _, one in same]
        if kind == ILLEGIBLE:
            yield Unreadable(kind, row[0].start, row[-1].end)
        elif kind:
            yield from (Unreadable(kind, one.start, one.end) for one in row)


def share(read: Iterable[Followed]) -> float:
    """The share of the letters of some texts that a reader could follow; 1 where there are none."""
    legible, letters = 0.0, 0
    for one in read:
        legible, letters = legible + one.legible, letters + one.letters
    return legible / letters if letters else 1.0


def read_at_all(read: Sequence[Followed]) -> float:
    """The same with the letters that were decoded."""
    return share(replace(one, legible=one.legible + one.decoded) for one in read)


def without_illegible(text: str, read: Followed) -> str:
    """The text with a line break for each character of what is illegible, so that the rest keeps its place."""
    for one in read.unreadable:
        if one.kind == ILLEGIBLE:
            text = f"{text[: one.start]}{chr(10) * (one.end - one.start)}{text[one.end :]}"
    return text


def _covered(sentence: Sentence, spans: Sequence[tuple[int, int]]) -> float:
    """The share of a sentence's characters that stand in these spans."""
    inside = sum(max(0, min(end, sentence.end) - max(start, sentence.start)) for start, end in spans)
    return min(1.0, inside / (sentence.end - sentence.start)) if inside else 0.0


def _other(sentence: Sentence, common: float, words: WordLists) -> str:
    """Whether the sentence is in another script or language; "" where it is not."""
    if not sentence.text.isascii() and not all(map(str.isascii, sentence.words)) and _foreign(sentence.words):
        return SCRIPT
    return LANGUAGE if common <= ENGLISH_TOO and _of_another(sentence, words) else ""


def _common(sentence: Sentence, words: WordLists) -> float:
    """The share of common words."""
    letters = [word for word in sentence.words if word[0].isalpha()]
    return sum(map(words.common.__contains__, letters)) / max(len(letters), 1)


def _long(sentence: Sentence) -> int:
    """How many words it has that are more than a number or a letter: formulas are no words."""
    return sum(word[0].isalpha() and len(word) > 1 for word in sentence.words)


def _of_another(sentence: Sentence, words: WordLists) -> bool:
    """Whether another language has enough of its small words in a sentence, and more than English has."""
    letters = [word for word in sentence.words if word[0].isalpha()]
    if len(letters) < FEWEST:
        return False
    english = sum(word in words.common for word in letters)
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
