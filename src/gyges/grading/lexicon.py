"""Classes of words, and patterns over them, matched without regular expressions: bounded on any text.

A pattern is a line of elements: a word, `word*` (any word that begins so), `a|b|two_words|<class>` (one of
them), `..` or `..7` (at most 4, or 7, words in between). Without dots the elements follow each other. It knows
words and classes; it does not know what they are for.

How it is fast: what a word can be is looked up once in a lifetime, as a set of bits with one for each class.
A sentence has the bits of its words; a pattern is tried only where its rarest element stands and the sentence
has all its bits.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

GAP = 4
"""What `..` allows."""
_REMEMBERED = 50_000
_COMMON = frozenset(
    word
    for line in (
        "i i'm i'll i'd i've me my to so that the a it this be is and of not if will would should for in",
        "on they as or can could with more what have get do being been they'll they'd are was by am",
        "don't there than no at",
    )
    for word in line.split()
)

Match = tuple[int, int]
"""First word and one past the last word, as indices into a sentence."""


class PatternError(ValueError):
    """A pattern can't be read; the message says why. `subject` is what of it can't, as it is written."""

    def __init__(self, what: str, subject: str) -> None:
        super().__init__(what)
        self.subject = subject


@dataclass(frozen=True, slots=True)
class Pattern:
    """Elements in order: the class of each, and how many words may stand before it. `bits` are its classes."""

    name: str
    classes: tuple[int, ...]
    gaps: tuple[int, ...]
    bits: int
    makes: int = -1
    """The class that its matches belong to, for a pattern that is part of others."""


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern's match; `holes` are the words in its gaps."""

    name: str
    start: int
    end: int
    holes: tuple[int, ...]


@dataclass(slots=True)
class Hits:
    """Where in a sentence the classes stand. `bits` has one bit for each class that does."""

    events: list[tuple[int, int, int]]
    bits: int
    _spans: dict[int, list[Match]] = field(default_factory=dict)

    def spans(self, number: int) -> list[Match]:
        """The places of one class, in order."""
        known = self._spans.get(number)
        if known is None:
            bit = 1 << number
            known = (
                sorted({(start, end) for bits, start, end in self.events if bits & bit}) if self.bits & bit else []
            )
            self._spans[number] = known
        return known

    def add(self, bits: int, found: Iterable[Found]) -> None:
        self.events += [(bits, one.start, one.end) for one in found]
        self.bits |= bits
        self._spans = {number: spans for number, spans in self._spans.items() if not bits >> number & 1}


@dataclass(slots=True)
class _Node:
    """A place in the tree of phrases: the next words, and the class bits of the phrase that ends here."""

    exact: dict[str, _Node] = field(default_factory=dict)
    prefixes: list[tuple[str, _Node]] = field(default_factory=list)
    bits: int = 0

    def next(self, word: str) -> _Node:
        if not word.endswith("*"):
            return self.exact.setdefault(word, _Node())
        for prefix, node in self.prefixes:
            if prefix == word[:-1]:
                return node
        self.prefixes.append((word[:-1], _Node()))
        return self.prefixes[-1][1]

    def after(self, word: str) -> list[_Node]:
        nodes = [node for prefix, node in self.prefixes if word.startswith(prefix)]
        if word in self.exact:
            nodes.append(self.exact[word])
        return nodes


class Lexicon:
    """Classes and patterns, compiled. `parts` are classes made of patterns, each seeing those before it.

    No gap of a pattern holds a word of the class `barrier`, and no gap of a part one of `negation` either.
    """

    def __init__(
        self,
        classes: Mapping[str, Sequence[str]],
        parts: Mapping[str, Sequence[str]],
        patterns: Mapping[str, Sequence[str]],
        barrier: str = "",
        negation: str = "",
    ) -> None:
        self._ids: dict[str, int] = {}
        self._items: list[list[str]] = []
        self._patterns: list[Pattern] = []
        for name, items in classes.items():
            self._class(f"<{name}>", items)
        for name, lines in parts.items():
            compiled = [self._pattern(name, line) for line in lines]
            number = self._class(f"<{name}>", ())
            self._patterns += [replace(pattern, name="", makes=number) for pattern in compiled]
        for name, lines in patterns.items():
            self._patterns += [self._pattern(name, line) for line in lines]
        self._barrier = self.number(barrier) if barrier else -1
        self._negation = self.number(negation) if negation else -1
        self._bits = self._unions()
        self._root = self._tree()
        self._first: dict[str, tuple[int, tuple[_Node, ...]]] = {}
        self._triggers = self._triggered()
        self._keys = sum(1 << number for number in self._triggers)

    def number(self, name: str) -> int:
        """The number of a named class. Raises PatternError if there is none."""
        try:
            return self._ids[f"<{name}>"]
        except KeyError:
            raise PatternError(f"there is no class '{name}'", f"<{name}>") from None

    def find(self, words: Sequence[str], accept: Callable[[Hits, Found], bool] | None = None) -> list[Found]:
        """The matches in a sentence of the patterns that are no parts.

        With `accept`, only those that it accepts, and of each name no pattern after the first accepted.
        """
        hits = self._scan(words)
        waiting = self._triggered_by(hits.bits)
        found: list[Found] = []
        settled: set[str] = set()
        seen = set(waiting)
        heapq.heapify(waiting)
        while waiting:
            pattern = self._patterns[heapq.heappop(waiting)]
            if pattern.bits & hits.bits != pattern.bits or pattern.name in settled:
                continue
            matches = self._unbroken(pattern, match(pattern, hits), hits)
            if not matches:
                continue
            if pattern.makes < 0:
                kept = matches if accept is None else [one for one in matches if accept(hits, one)]
                found += kept
                if kept and accept is not None:
                    settled.add(pattern.name)
                continue
            bits = self._bits[pattern.makes]
            hits.add(bits, matches)
            new = [one for one in self._triggered_by(bits) if one not in seen]
            seen.update(new)
            for one in new:
                heapq.heappush(waiting, one)
        return found

    def _unbroken(self, pattern: Pattern, matches: list[Found], hits: Hits) -> list[Found]:
        if not any(one.holes for one in matches):
            return matches
        classes = (self._barrier, self._negation) if pattern.makes >= 0 else (self._barrier,)
        breaks = {start for number in classes if number >= 0 for start, _ in hits.spans(number)}
        return [one for one in matches if breaks.isdisjoint(one.holes)]

    def _scan(self, words: Sequence[str]) -> Hits:
        events: list[tuple[int, int, int]] = []
        bits = 0
        for index, word in enumerate(words):
            own, nodes = self._first.get(word) or self._look_up(word)
            if own:
                events.append((own, index, index + 1))
                bits |= own
            for node in nodes:
                for phrase, end in _ends(node, words, index + 1):
                    events.append((phrase, index, end))
                    bits |= phrase
        return Hits(events, bits)

    def _look_up(self, word: str) -> tuple[int, tuple[_Node, ...]]:
        nodes = self._root.after(word)
        bits = 0
        for node in nodes:
            bits |= node.bits
        if len(self._first) >= _REMEMBERED:
            self._first.clear()  # a hostile text can't fill the memory with words
        self._first[word] = (bits, tuple(node for node in nodes if node.exact or node.prefixes))
        return self._first[word]

    def _triggered_by(self, bits: int) -> list[int]:
        keys = bits & self._keys
        waiting: set[int] = set()
        while keys:
            lowest = keys & -keys
            waiting.update(self._triggers[lowest.bit_length() - 1])
            keys ^= lowest
        return list(waiting)

    def _class(self, key: str, items: Iterable[str]) -> int:
        number = self._ids.setdefault(key, len(self._ids))
        self._items.append([])
        for item in items:
            if item.startswith("<"):
                self.number(item[1:-1])
            elif not item.strip("_ ") or any("*" in word[:-1] or word == "*" for word in _phrase(item)):
                raise PatternError(f"'{item}' is not a word, a phrase or a beginning with * after it", item)
            self._items[number].append(item)
        return number

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
            raise PatternError(f"'{line}' must begin and end with an element", line)
        return Pattern(name, tuple(classes), tuple(gaps), sum(1 << one for one in set(classes)))

    def _element(self, element: str) -> int:
        if element.startswith("<") and element.endswith(">") and "|" not in element:
            return self.number(element[1:-1])
        if element in self._ids:
            return self._ids[element]
        return self._class(element, element.split("|"))

    def _unions(self) -> list[int]:
        """For each class, its bit and those of all classes that include it."""
        bits = [1 << number for number in range(len(self._items))]
        # A class names only classes before it, so from the last to the first every set is complete when read.
        for number in range(len(self._items) - 1, -1, -1):
            for item in self._items[number]:
                if item.startswith("<"):
                    bits[self._ids[item]] |= bits[number]
        return bits

    def _tree(self) -> _Node:
        root = _Node()
        for number, items in enumerate(self._items):
            for item in items:
                if item.startswith("<"):
                    continue
                node = root
                for word in _phrase(item):
                    node = node.next(word)
                node.bits |= self._bits[number]
        return root

    def _triggered(self) -> dict[int, list[int]]:
        common = self._common()
        triggers: dict[int, list[int]] = {}
        for index, pattern in enumerate(self._patterns):
            key = next((one for one in pattern.classes if one not in common), pattern.classes[0])
            triggers.setdefault(key, []).append(index)
        return triggers

    def _common(self) -> set[int]:
        """The classes that common words are in: no good to look for first."""
        common: set[int] = set()
        for word in _COMMON:
            bits, _ = self._look_up(word)
            common.update(number for number in range(len(self._items)) if bits >> number & 1)
        return common


def match(pattern: Pattern, hits: Hits) -> list[Found]:
    """The pattern's matches, not overlapping; of two with the same end the tighter one. From right to left."""
    if len(pattern.classes) == 1:
        return [Found(pattern.name, start, end, ()) for start, end in reversed(hits.spans(pattern.classes[0]))]
    found: list[Found] = []
    lists = [hits.spans(number) for number in pattern.classes]
    dead: set[tuple[int, int]] = set()
    free = 1 << 30
    for start, end in reversed(lists[0]):
        rest = _continue(pattern.gaps, lists, 1, end, dead)
        if rest is None:
            continue
        last, holes = rest
        if last <= free:
            found.append(Found(pattern.name, start, last, holes))
            free = start
    return found


def _continue(
    gaps: Sequence[int], lists: Sequence[Sequence[Match]], index: int, at: int, dead: set[tuple[int, int]]
) -> tuple[int, tuple[int, ...]] | None:
    """The rest of a match from word `at`. `dead` remembers what led nowhere, so no text makes this slow."""
    if index == len(gaps):
        return at, ()
    if (index, at) in dead:
        return None
    spans = lists[index]
    for place in range(bisect_left(spans, (at, 0)), len(spans)):
        start, end = spans[place]
        if start > at + gaps[index]:
            break
        rest = _continue(gaps, lists, index + 1, end, dead)
        if rest is not None:
            return rest[0], (*range(at, start), *rest[1])
    dead.add((index, at))
    return None


def _ends(node: _Node, words: Sequence[str], at: int) -> Iterable[tuple[int, int]]:
    """Bits and end of every phrase that goes on from `node` at word `at`."""
    if at >= len(words):
        return
    word = words[at]
    following = node.exact.get(word)
    nodes = [following] if following is not None else []
    if node.prefixes:
        nodes += [one for prefix, one in node.prefixes if word.startswith(prefix)]
    for one in nodes:
        if one.bits:
            yield one.bits, at + 1
        if one.exact or one.prefixes:
            yield from _ends(one, words, at + 1)


def _phrase(item: str) -> list[str]:
    return item.replace("_", " ").lower().split()


def _gap(element: str) -> int:
    if element == "..":
        return GAP
    if element[2:].isdigit():
        return int(element[2:])
    raise PatternError(f"'{element}' is not a gap: write .. or ..7", element)
