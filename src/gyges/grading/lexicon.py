"""Classes of words, and patterns over them, matched without regular expressions: bounded on any text.

A pattern is a line of elements: a word, `word*` (any word that begins so), `a|b|two_words|<class>` (one of
them), `..` or `..7` (at most 4, or 7, words in between). Without dots the elements follow each other. It knows
words and classes; it does not know what they are for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

GAP = 4
"""What `..` allows."""
_REMEMBERED = 50_000
_COMMON = frozenset(
    "i i'm i'll i'd i've me my to so that the a it this be is and of not if will would should for in on they as or"
    " can could with more what have get do being been they'll they'd are was by am don't there than".split()  # noqa: SIM905 - a list of words reads best as words
)

Match = tuple[int, int]
"""First word and one past the last word, as indices into a sentence."""


class PatternError(ValueError):
    """A pattern can't be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Elements in order: the class of each, and how many words may stand before it."""

    name: str
    classes: tuple[int, ...]
    gaps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern's match; `holes` are the words in its gaps."""

    name: str
    start: int
    end: int
    holes: tuple[int, ...]


class Lexicon:
    """Classes and patterns, compiled. `parts` are classes made of patterns, each seeing those before it."""

    def __init__(
        self,
        classes: Mapping[str, Sequence[str]],
        parts: Mapping[str, Sequence[str]],
        patterns: Mapping[str, Sequence[str]],
    ) -> None:
        self._ids: dict[str, int] = {}
        self._exact: dict[str, list[int]] = {}
        self._prefixes: list[tuple[str, int]] = []
        self._phrases: list[tuple[tuple[str, ...], int]] = []
        self._common: set[int] = set()
        self._words: dict[str, tuple[tuple[int, ...], tuple[tuple[tuple[str, ...], int], ...]]] = {}
        self._parts: list[tuple[int, Pattern]] = []
        for name, items in classes.items():
            self._define(name, items)
        for name, lines in parts.items():
            compiled = [self._pattern(name, line) for line in lines]
            number = self._number(f"<{name}>")
            self._parts += [(number, pattern) for pattern in compiled]
        self._by_key: dict[int, list[Pattern]] = {}
        for name, lines in patterns.items():
            for line in lines:
                pattern = self._pattern(name, line)
                self._by_key.setdefault(self._key(pattern), []).append(pattern)

    def positions(self, words: Sequence[str]) -> dict[int, list[Match]]:
        """Where each class stands in a sentence, for those that do."""
        hits: dict[int, list[Match]] = {}
        for index, word in enumerate(words):
            known = self._words.get(word)
            if known is None:
                known = self._look_up(word)
            for number in known[0]:
                hits.setdefault(number, []).append((index, index + 1))
            for phrase, number in known[1]:
                if _follows(words, index, phrase):
                    hits.setdefault(number, []).append((index, index + len(phrase)))
        for number, pattern in self._parts:
            if all(one in hits for one in pattern.classes):
                spans = [(found.start, found.end) for found in match(pattern, hits)]
                if spans:
                    hits[number] = sorted({*hits.get(number, ()), *spans})
        return hits

    def find(self, hits: Mapping[int, Sequence[Match]]) -> list[Found]:
        """Every pattern's matches."""
        found: list[Found] = []
        for key in hits:
            for pattern in self._by_key.get(key, ()):
                for number in pattern.classes:
                    if number not in hits:
                        break
                else:
                    found += match(pattern, hits)
        return found

    def number(self, name: str) -> int:
        """The number of a named class. Raises PatternError if there is none."""
        try:
            return self._ids[f"<{name}>"]
        except KeyError:
            raise PatternError(f"there is no class '{name}'") from None

    def _define(self, name: str, items: Iterable[str]) -> None:
        number = self._number(f"<{name}>")
        for item in items:
            self._add(item, number)

    def _add(self, item: str, number: int) -> None:
        if item.startswith("<"):
            source = self.number(item[1:-1])
            self._parts.append((number, Pattern("", (source,), (0,))))
            if source in self._common:
                self._common.add(number)
            return
        phrase = tuple(item.replace("_", " ").lower().split())
        if not phrase or any("*" in word[:-1] or word == "*" for word in phrase):
            raise PatternError(f"'{item}' is not a word, a phrase or a beginning with * after it")
        if len(phrase) > 1:
            self._phrases.append((phrase, number))
        elif phrase[0].endswith("*"):
            self._prefixes.append((phrase[0][:-1], number))
        else:
            self._exact.setdefault(phrase[0], []).append(number)
            if phrase[0] in _COMMON:
                self._common.add(number)

    def _number(self, key: str) -> int:
        return self._ids.setdefault(key, len(self._ids))

    def _pattern(self, name: str, line: str) -> Pattern:
        classes: list[int] = []
        gaps: list[int] = []
        gap = 0
        for element in line.split():
            if element.startswith(".."):
                gap = _gap(element)
                continue
            classes.append(self._element(element))
            gaps.append(gap if len(classes) > 1 else 0)
            gap = 0
        if not classes or gap:
            raise PatternError(f"'{line}' must begin and end with an element")
        return Pattern(name, tuple(classes), tuple(gaps))

    def _element(self, element: str) -> int:
        if element.startswith("<") and element.endswith(">") and "|" not in element:
            return self.number(element[1:-1])
        if element in self._ids:
            return self._ids[element]
        number = self._number(element)
        for item in element.split("|"):
            self._add(item, number)
        return number

    def _key(self, pattern: Pattern) -> int:
        """The class to look for first: one that common words are not in."""
        return next((one for one in pattern.classes if one not in self._common), pattern.classes[0])

    def _look_up(self, word: str) -> tuple[tuple[int, ...], tuple[tuple[tuple[str, ...], int], ...]]:
        numbers = dict.fromkeys(self._exact.get(word, ()))
        numbers.update(dict.fromkeys(number for prefix, number in self._prefixes if word.startswith(prefix)))
        starts = tuple((phrase, number) for phrase, number in self._phrases if _fits(word, phrase[0]))
        if len(self._words) >= _REMEMBERED:
            self._words.clear()  # a hostile text can't fill the memory with words
        self._words[word] = (tuple(numbers), starts)
        return self._words[word]


def match(pattern: Pattern, hits: Mapping[int, Sequence[Match]]) -> list[Found]:
    """The pattern's matches from left to right, not overlapping, shortest gaps first."""
    found: list[Found] = []
    free = 0
    for start, end in hits[pattern.classes[0]]:
        if start < free:
            continue
        rest = _continue(pattern, hits, 1, end)
        if rest is not None:
            last, holes = rest
            found.append(Found(pattern.name, start, last, holes))
            free = last
    return found


def _continue(
    pattern: Pattern, hits: Mapping[int, Sequence[Match]], index: int, at: int
) -> tuple[int, tuple[int, ...]] | None:
    if index == len(pattern.classes):
        return at, ()
    furthest = at + pattern.gaps[index]
    for start, end in hits[pattern.classes[index]]:
        if start < at:
            continue
        if start > furthest:
            break
        rest = _continue(pattern, hits, index + 1, end)
        if rest is not None:
            return rest[0], (*range(at, start), *rest[1])
    return None


def _gap(element: str) -> int:
    if element == "..":
        return GAP
    if element[2:].isdigit():
        return int(element[2:])
    raise PatternError(f"'{element}' is not a gap: write .. or ..7")


def _fits(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted


def _follows(words: Sequence[str], index: int, phrase: tuple[str, ...]) -> bool:
    if index + len(phrase) > len(words):
        return False
    return all(_fits(words[index + ahead], wanted) for ahead, wanted in enumerate(phrase) if ahead)
