"""Whether words follow each other as they do in English, so that a reader could follow them. It knows no finding.

Words are put into classes; which class follows which more often, or less, than chance has it was learned from
texts (Church and Hanks 1990). That and a few coarser signs (hardly a verb, hardly a small word or nothing else,
one word over and over, words without vowels) are weak one by one. Weighed and summed up over a stretch they tell;
where the sum rises most (Page 1954) is what can't be followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from gyges.grading.sentences import Sentence

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Table = NDArray[float64]

CHUNK = 12
"""Words from which on sentences in a row are weighed together: fewer say too little."""
FEWEST = 25
"""Words of a stretch, from which on it may be said that nobody could follow it."""
NEAR = 10
"""A word that comes again within so many others, small ones not counted, is repeated."""
COUNTED = (
    *("order_of_small", "order_of_mixed", "order_of_others"),
    *("words", "without_verb", "small", "repeated", "sentences"),
    *("unknown", "without_vowel", "symbols", "numbers"),
)
"""What is summed up over a chunk."""
BEYOND = {
    "against_order": {"order_of_small": -1.0, "order_of_mixed": -1.0, "order_of_others": -1.0},
    "too_short": {"sentences": 1.0, "words": -0.2},
    "too_few_small": {"small": -1.0, "words": 0.2},
    "too_often_repeated": {"repeated": 1.0, "words": -0.2},
    "too_many_unknown": {"unknown": 1.0, "words": -0.25},
}
"""Sums of these that count where they are above 0: in prose 45 words of 100 are small, sentences have 15."""
SIGNS = (*COUNTED, *BEYOND)
ENDINGS = ("ing", "ed")
"""What verbs end with that are not listed as such."""
KINDS = 4
UNKNOWN, WITHOUT_VOWEL, SYMBOL, NUMBER = range(KINDS)
"""The last classes, of tokens that are not listed, in the order of COUNTED; what follows them is not known."""
PAIRS = 3
"""Two tokens may both be frequent, or one, or none."""
END = "\x00"
"""Stands between sentences; a text's own are no token."""
_MARKS = tuple(',.;:!?"()-*_–—…“”`#/=+→~[]{}<>|&%$^@')
_VOWELS = frozenset("aeiouy")


class Classes(dict[str, int]):
    """The numbers of the listed words' classes, from 1 on, and of every other by its kind."""

    def __missing__(self, token: str) -> int:
        return 1 + self.last + kind_of(token)

    def __init__(self, listed: Sequence[Sequence[str]]) -> None:
        super().__init__((word, number) for number, words in enumerate(listed, 1) for word in words)
        self[END] = 0
        self.last = len(listed)


@dataclass(frozen=True, slots=True)
class WordOrder:
    """What was learned. Class 0 is the beginning and the end of a sentence."""

    classes: Classes
    alone: int
    """Up to this number classes are of one word, and those the most frequent."""
    follows: Table
    """By two classes, the log of how much more often than by chance the second follows the first."""
    small: frozenset[str]
    verbs: frozenset[str]
    weights: Table
    threshold: float
    version: str

    def runs(self, sentences: Sequence[Sentence]) -> Iterator[tuple[int, int]]:
        """Stretches that can't be followed: the first sentence and the one after the last, in order."""
        for begun, ended in self._risen(sentences):
            if sum(len(one.words) for one in sentences[begun:ended]) >= FEWEST:
                part = sentences[begun:ended]
                odd = (self.signs(part, range(len(part))) @ self.weights > 0).nonzero()[0]
                yield (begun + int(odd[0]), begun + int(odd[-1]) + 1) if len(odd) else (begun, ended)

    def _risen(self, sentences: Sequence[Sentence]) -> Iterator[tuple[int, int]]:
        """Where the sum over chunks rises by the threshold; at its ends may be sentences that are not odd."""
        starts = chunks(sentences)
        if not starts:
            return
        scores = (self.signs(sentences, starts) @ self.weights).tolist()
        total = peak = 0.0
        begun = ended = 0
        for start, end, score in zip(starts, [*starts[1:], len(sentences)], scores, strict=True):
            if total <= 0 or total < peak - self.threshold:
                if peak >= self.threshold:
                    yield begun, ended
                total, peak, begun = 0.0, 0.0, start
            total += score
            if total > peak:
                peak, ended = total, end
        if peak >= self.threshold:
            yield begun, ended

    def signs(self, sentences: Sequence[Sentence], starts: Sequence[int]) -> Table:
        """How much of each of SIGNS each chunk has, shape (chunks, signs)."""
        import numpy as np

        said = np.add.reduceat(np.array(list(self._of_words(sentences)), dtype=float), starts)
        order, kinds = self._of_tokens(sentences, starts)
        counted = np.concatenate([order, said, kinds], axis=1)
        return np.concatenate([counted, np.maximum(0, counted @ _beyond())], axis=1)

    def _of_tokens(self, sentences: Sequence[Sentence], starts: Sequence[int]) -> tuple[Table, Table]:
        """For each chunk, how well its tokens follow each other, and how many there are of each kind."""
        import numpy as np

        pieces = (one.text[one.start : one.end].replace(END, " ") for one in sentences)
        read = tokens(f" {END} ".join(("", *pieces, "")))
        number = np.fromiter(map(self.classes.__getitem__, read), int, len(read))
        first = np.flatnonzero(number == 0)[list(starts)]
        chunk = np.repeat(np.arange(len(first)), np.diff(first, append=len(read) - 1))
        common = number <= self.alone
        pair = chunk * PAIRS + 2 - common[:-1] - common[1:]
        order = np.bincount(pair, self.follows[number[:-1], number[1:]], PAIRS * len(first))
        odd = np.flatnonzero(number > self.classes.last)
        kind = chunk[odd] * KINDS + number[odd] - self.classes.last - 1
        kinds = np.bincount(kind, np.ones(len(kind)), KINDS * len(first))
        return order.reshape(-1, PAIRS).astype(float), kinds.reshape(-1, KINDS).astype(float)

    def _of_words(self, sentences: Sequence[Sentence]) -> Iterator[tuple[int, int, int, int, int]]:
        """For each sentence its words, those of them in one without a verb, small ones, repeated ones; and 1."""
        last, read, small = dict[str, int](), 0, self.small
        for sentence in sentences:
            words = sentence.words
            rest = [word for word in words if word not in small]
            repeated = 0
            for word in rest:
                repeated += last.get(word, -NEAR) >= read - NEAR and len(word) > 2
                last[word] = read
                read += 1
            acts = not self.verbs.isdisjoint(words) or any(word.endswith(ENDINGS) for word in words)
            yield len(words), 0 if acts else len(words), len(words) - len(rest), repeated, 1


@lru_cache(maxsize=1)
def _beyond() -> Table:
    import numpy as np

    return np.array([[parts.get(name, 0.0) for parts in BEYOND.values()] for name in COUNTED])


def chunks(sentences: Sequence[Sentence]) -> list[int]:
    """Where each chunk begins: sentences in a row of CHUNK words or more; a shorter rest joins the one before."""
    starts, words = list[int](), CHUNK
    for at, sentence in enumerate(sentences):
        if words >= CHUNK:
            starts.append(at)
            words = 0
        words += len(sentence.words)
    if words < CHUNK and len(starts) > 1:
        starts.pop()
    return starts


def tokens(text: str) -> list[str]:
    """Words and marks in lower case. Blanks around every mark: much faster than a search for words."""
    text = text.lower().replace(" '", " ' ").replace("' ", " ' ")
    for mark in _MARKS:
        if mark in text:
            text = text.replace(mark, f" {mark} ")
    return text.split()


@lru_cache(maxsize=50_000)
def kind_of(token: str) -> int:
    """What is odd about a token that is not listed."""
    if not token[0].isalnum():
        return SYMBOL
    if not token[0].isalpha():
        return NUMBER
    return WITHOUT_VOWEL if token.isascii() and _VOWELS.isdisjoint(token) else UNKNOWN
