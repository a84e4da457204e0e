"""Classes of words, and patterns over them, matched without regular expressions: bounded on any text.

How a pattern is written stands in `pattern.py`. It knows words and classes; it does not know what they are for.

How it is fast: what a word can be is looked up once in a lifetime, as a set of bits with one for each class.
A sentence has the bits of its words; a pattern is tried only where its rarest element stands and the sentence
has all its bits.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from gyges.grading.pattern import Found, Hits, Pattern, PatternError, gap_of, match
from gyges.grading.phrases import Node, ends, phrase_of

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

_Word = tuple[int, frozenset[int], tuple[int, ...], tuple[Node, ...]]
"""What a word can be: bits and numbers of its classes, the patterns to be tried, phrases that it begins."""


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
        self._first: dict[str, _Word] = {}
        self._of_bits: dict[int, frozenset[int]] = {}
        self._needs = [pattern.bits for pattern in self._patterns]
        self._made = 0
        for pattern in self._patterns:
            if pattern.makes >= 0:
                self._made |= self._bits[pattern.makes]
        self._by_keys: dict[int, tuple[int, ...]] = {}
        """The patterns that are tried, by the keys that stand there; there are as many as words differ in them."""
        self._keys = 0
        self._triggers: dict[int, list[int]] = {}
        self._triggers = self._triggered()
        self._keys = sum(1 << number for number in self._triggers)
        self._first.clear()
        self._by_keys.clear()

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
        seen = set(hits.waiting)
        needs, may = self._needs, hits.bits | self._made
        # A sorted list is a heap. Most patterns need something that no part can make.
        waiting = sorted([one for one in seen if needs[one] & may == needs[one]])
        found: list[Found] = []
        settled: set[str] = set()
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
            hits.add(bits, self._numbers(bits), matches)
            for one in self._triggered_by(bits):
                if one not in seen:
                    seen.add(one)
                    if needs[one] & may == needs[one]:
                        heapq.heappush(waiting, one)
        return found

    def _unbroken(self, pattern: Pattern, matches: list[Found], hits: Hits) -> list[Found]:
        if not any(one.holes for one in matches):
            return matches
        classes = (self._barrier, self._negation) if pattern.makes >= 0 else (self._barrier,)
        breaks = {start for number in classes if number >= 0 for start, _ in hits.spans(number)}
        return [one for one in matches if breaks.isdisjoint(one.holes)]

    def _scan(self, words: Sequence[str]) -> Hits:
        events: list[tuple[frozenset[int], int, int]] = []
        waiting: list[int] = []
        bits = 0
        first, last = self._first, len(words) - 1
        for index, word in enumerate(words):
            own, classes, triggers, nodes = first.get(word) or self._look_up(word)
            if own:
                events.append((classes, index, index + 1))
                bits |= own
                waiting += triggers
            if nodes and index < last:
                following = words[index + 1]
                for node in nodes:
                    if following not in node.exact and not node.prefixes:
                        continue
                    for phrase, end in ends(node, words, index + 1):
                        events.append((self._numbers(phrase), index, end))
                        bits |= phrase
                        waiting += self._triggered_by(phrase)
        return Hits(events, bits, waiting=waiting)

    def _look_up(self, word: str) -> _Word:
        nodes = self._root.after(word)
        bits = 0
        for node in nodes:
            bits |= node.bits
        if len(self._first) >= _REMEMBERED:
            self._first.clear()  # a hostile text can't fill the memory with words
        longer = tuple(node for node in nodes if node.exact or node.prefixes)
        self._first[word] = (bits, self._numbers(bits), self._triggered_by(bits), longer)
        return self._first[word]

    def _numbers(self, bits: int) -> frozenset[int]:
        """The classes that the bits are of. Phrases and parts have few sets of them, words as many as exist."""
        known = self._of_bits.get(bits)
        if known is None:
            if len(self._of_bits) >= _REMEMBERED:
                self._of_bits.clear()
            spelt = bin(bits)[:1:-1]
            known = self._of_bits[bits] = frozenset(at for at, bit in enumerate(spelt) if bit == "1")
        return known

    def _triggered_by(self, bits: int) -> tuple[int, ...]:
        """The patterns to be tried where a word or a phrase with these bits stands."""
        keys = bits & self._keys
        known = self._by_keys.get(keys)
        if known is None:
            waiting: set[int] = set()
            left = keys
            while left:
                lowest = left & -left
                waiting.update(self._triggers[lowest.bit_length() - 1])
                left ^= lowest
            known = self._by_keys[keys] = tuple(waiting)
        return known

    def _class(self, key: str, items: Iterable[str]) -> int:
        number = self._ids.setdefault(key, len(self._ids))
        self._items.append([])
        for item in items:
            if item.startswith("<"):
                self.number(item[1:-1])
            elif not item.strip("_ ") or any("*" in word[:-1] or word == "*" for word in phrase_of(item)):
                raise PatternError(f"'{item}' is not a word, a phrase or a beginning with * after it", item)
            self._items[number].append(item)
        return number

    def _pattern(self, name: str, line: str) -> Pattern:
        classes: list[int] = []
        gaps: list[int] = []
        gap = 0
        for element in line.split():
            if element.startswith(".."):
                gap = gap_of(element)
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

    def _tree(self) -> Node:
        root = Node()
        for number, items in enumerate(self._items):
            for item in items:
                if item.startswith("<"):
                    continue
                node = root
                for word in phrase_of(item):
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
            bits = self._look_up(word)[0]
            common.update(number for number in range(len(self._items)) if bits >> number & 1)
        return common
