"""Classes of words, and patterns over them, matched without regular expressions: bounded on any text.

How a pattern is written stands in `pattern.py`. It knows words and classes; it does not know what they are for.

How it is fast: what a word can be is looked up once in a lifetime, as two sets of bits: one for each class, and
one for each pattern that has use for it. What the words of a sentence serve, taken together, says which patterns
have all that they need: only those are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from gyges.grading.pattern import Found, Hits, Pattern, PatternError, gap_of, match
from gyges.grading.phrases import Node, ends, phrase_of

_REMEMBERED = 50_000
_AT_FIRST = 3
"""So many classes of a pattern are looked for before it is tried; few patterns have more."""

_Word = tuple[int, int, frozenset[int], tuple[Node, ...]]
"""What a word can be: bits of its classes, what they serve, their numbers, phrases that it begins."""


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
        self._of_bits: dict[int, tuple[int, frozenset[int]]] = {}
        self._all = (1 << len(self._patterns)) - 1
        self._serving, self._granted = self._served()
        breaks = [1 << one for one in (self._barrier, self._negation) if one >= 0]
        self._breaks = sum(breaks)

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
        hits, serves = self._scan(words)
        # In their order, since what a part makes serves only patterns after it.
        waiting = self._numbered(self._complete(serves))
        if waiting:
            hits.look_for({number for pattern in waiting for number in self._patterns[pattern].classes})
        found: list[Found] = []
        settled: set[str] = set()
        for index in waiting:
            pattern = self._patterns[index]
            if pattern.name in settled or (pattern.long and pattern.bits & hits.bits != pattern.bits):
                continue
            matches = match(pattern, hits)
            if matches and pattern.gapped:
                matches = self._unbroken(pattern, matches, hits)
            if not matches:
                continue
            if pattern.makes < 0:
                kept = matches if accept is None else [one for one in matches if accept(hits, one)]
                found += kept
                if kept and accept is not None:
                    settled.add(pattern.name)
                continue
            bits = self._bits[pattern.makes]
            more, classes = self._of(bits)
            hits.add(bits, classes, matches)
            if more & ~serves:
                late = self._complete(serves | more) & ~self._complete(serves)
                serves |= more
                if late:
                    waiting += self._numbered(late)
                    waiting.sort()  # behind `index`, where all that is late belongs
        return found

    def _complete(self, serves: int) -> int:
        """The patterns, a bit each, that lack nothing of what is looked for before they are tried."""
        size = len(self._patterns)
        whole = serves | self._granted
        return whole & whole >> size & whole >> 2 * size & self._all

    @staticmethod
    def _numbered(bits: int) -> list[int]:
        """The places of the bits, the lowest first."""
        numbers = []
        while bits:
            lowest = bits & -bits
            bits ^= lowest
            numbers.append(lowest.bit_length() - 1)
        return numbers

    def _unbroken(self, pattern: Pattern, matches: list[Found], hits: Hits) -> list[Found]:
        if not hits.bits & self._breaks:
            return matches
        classes = (self._barrier, self._negation) if pattern.makes >= 0 else (self._barrier,)
        breaks = {start for number in classes if number >= 0 for start, _ in hits.spans(number)}
        return [one for one in matches if breaks.isdisjoint(one.holes)]

    def _scan(self, words: Sequence[str]) -> tuple[Hits, int]:
        first, last = self._first, len(words) - 1
        known = [first.get(word) or self._look_up(word) for word in words]
        events = [(one[2], index, index + 1) for index, one in enumerate(known) if one[0]]
        bits = serves = 0
        for index, (own, serving, classes, nodes) in enumerate(known):
            if own:
                bits |= own
                serves |= serving
            if nodes and index < last:
                following = words[index + 1]
                for node in nodes:
                    if following not in node.exact and not node.prefixes:
                        continue
                    for phrase, end in ends(node, words, index + 1):
                        serving, classes = self._of(phrase)
                        events.append((classes, index, end))
                        bits |= phrase
                        serves |= serving
        return Hits(events, bits), serves

    def _look_up(self, word: str) -> _Word:
        nodes = self._root.after(word)
        bits = 0
        for node in nodes:
            bits |= node.bits
        if len(self._first) >= _REMEMBERED:
            self._first.clear()  # a hostile text can't fill the memory with words
        longer = tuple(node for node in nodes if node.exact or node.prefixes)
        self._first[word] = (bits, *self._of(bits), longer)
        return self._first[word]

    def _of(self, bits: int) -> tuple[int, frozenset[int]]:
        """What some classes serve, and their numbers. Phrases and parts have few sets of them, words as many
        as exist.
        """
        known = self._of_bits.get(bits)
        if known is None:
            if len(self._of_bits) >= _REMEMBERED:
                self._of_bits.clear()
            numbers = frozenset(at for at, bit in enumerate(bin(bits)[:1:-1]) if bit == "1")
            serves = 0
            for number in numbers:
                serves |= self._serving[number]
            known = self._of_bits[bits] = serves, numbers
        return known

    def _served(self) -> tuple[list[int], int]:
        """For each class, a bit for each pattern that has it first, then second, then third; and the bits of
        what patterns have no need of, since they have fewer classes.
        """
        serving = [0] * len(self._items)
        granted = 0
        size = len(self._patterns)
        for index, pattern in enumerate(self._patterns):
            classes = list(dict.fromkeys(pattern.classes))[:_AT_FIRST]
            for place, number in enumerate(classes):
                serving[number] |= 1 << place * size + index
            for place in range(len(classes), _AT_FIRST):
                granted |= 1 << place * size + index
        return serving, granted

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
        bits = sum(1 << one for one in set(classes))
        return Pattern(
            name, tuple(classes), tuple(gaps), bits, gapped=any(gaps), long=bits.bit_count() > _AT_FIRST
        )

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
