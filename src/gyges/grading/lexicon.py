"""Classes of words, and patterns over them, matched without regular expressions: bounded on any text.

How a pattern is written stands in `pattern.py`. It knows words and classes; it does not know what they are for.

How it is fast: what a word can be is looked up once in a lifetime, as the numbers of its classes, and a bit for
each pattern that has use for it. Several sentences are read at once. What the words of each serve, taken together,
says which patterns may match in any: only those are tried, each on all sentences (`places.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import compress

from gyges.grading.pattern import Found, Pattern, PatternError, gap_of
from gyges.grading.phrases import Node, Pairs, behind, phrase_of
from gyges.grading.places import Places, bits, steps

_REMEMBERED = 50_000
_RAREST = 3
"""So many classes of a pattern are looked for in a sentence before it is tried; few patterns have more."""


@dataclass(frozen=True, slots=True, eq=False)
class _Meaning:
    """Classes, by number, and what they serve."""

    numbers: frozenset[int]
    serves: int


_Known = tuple[_Meaning | None, Pairs | None]
"""What a word means alone, and the phrases that it begins."""


class _Vocabulary(dict[str, _Known]):
    """What each word met can be."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def __missing__(self, word: str) -> _Known:
        if len(self) >= _REMEMBERED:
            self.clear()  # a hostile text can't fill the memory with words
        self[word] = self._lexicon.look_up(word)
        return self[word]


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
        self._apart = 2  # what is looked at right before a sentence is no word of the one before it
        for name, items in classes.items():
            self._class(f"<{name}>", items)
        for name, lines in parts.items():
            compiled = [self._pattern(name, line) for line in lines]
            number = self._class(f"<{name}>", ())
            self._patterns += [replace(pattern, name="", makes=number) for pattern in compiled]
        for name, lines in patterns.items():
            self._patterns += [self._pattern(name, line) for line in lines]
        self._barrier, self._negation = (self.number(name) if name else -1 for name in (barrier, negation))
        self._bits = self._unions()
        self._root = self._tree()
        self._meanings: dict[int, _Meaning] = {}
        self._needs = [pattern.numbers for pattern in self._patterns]
        self._serving, self._granted = self._served()
        self._made = {
            one.makes: frozenset(bits(self._bits[one.makes])) for one in self._patterns if one.makes >= 0
        }
        self._always = frozenset(one for one in (self._barrier, self._negation) if one >= 0)
        self._pairs: dict[tuple[int, ...], Pairs] = {}
        self._vocabulary = _Vocabulary(self)

    def number(self, name: str) -> int:
        """The number of a named class. Raises PatternError if there is none."""
        try:
            return self._ids[f"<{name}>"]
        except KeyError:
            raise PatternError(f"there is no class '{name}'", f"<{name}>") from None

    def find(self, words: Sequence[str]) -> list[Found]:
        """The matches in a sentence of the patterns that are no parts."""
        places, patterns = self.read([words])
        return [
            Found(one.name, found.start, found.end)
            for those in patterns.values()
            for one in those
            for found in one.find(places)
            if not found.holes & places.barrier
        ]

    def read(
        self, sentences: Sequence[Sequence[str]], wanted: Set[int] = frozenset()
    ) -> tuple[Places, dict[str, list[Pattern]]]:
        """Where the classes stand, and by name the patterns that are no parts and that may match, in their order.

        Known are the places of the classes of those patterns, and of those that are `wanted`.
        """
        known, longer, firsts, complete = self._scan(sentences)
        chosen = list(compress(range(len(self._patterns)), map("1".__eq__, bin(complete)[:1:-1])))
        needed = {*self._always, *wanted}.union(*[self._needs[one] for one in chosen])
        places = Places([0] * len(self._items), firsts, list(map(len, sentences)))
        starts = places.starts
        for meaning, where in known.items():
            for number in meaning.numbers & needed:
                starts[number] |= where
        for (meaning, words), where in longer.items():
            for number in meaning.numbers & needed:
                places.add(number, words, where)
        places.barrier = starts[self._barrier] if self._barrier >= 0 else 0
        breaks = places.barrier | (starts[self._negation] if self._negation >= 0 else 0)
        patterns: dict[str, list[Pattern]] = {}
        for pattern in [self._patterns[one] for one in chosen]:
            if pattern.makes < 0:
                patterns.setdefault(pattern.name, []).append(pattern)
                continue
            made: dict[int, int] = {}
            for start, end, holes in pattern.find(places):
                if not holes & breaks:
                    made[end - start] = made.get(end - start, 0) | 1 << start
            for words, where in made.items():
                for number in self._made[pattern.makes] & needed:
                    places.add(number, words, where)
        return places, patterns

    def _scan(
        self, sentences: Sequence[Sequence[str]]
    ) -> tuple[dict[_Meaning, int], dict[tuple[_Meaning, int], int], list[int], int]:
        """Where what has a meaning stands: words; phrases by their number of words; then each sentence's first
        place, and a bit for each pattern that may match in one of them.
        """
        vocabulary = self._vocabulary
        known: dict[_Meaning, int] = {}
        longer: dict[tuple[_Meaning, int], int] = {}
        firsts: list[int] = []
        complete, first = 0, 0
        for words in sentences:
            serves = self._granted
            last = first + len(words)
            for at, word in enumerate(words, first):
                meaning, pairs = vocabulary[word]
                if meaning is not None:
                    known[meaning] = known.get(meaning, 0) | 1 << at
                    serves |= meaning.serves
                if pairs is not None and at + 1 < last:
                    for node in pairs[words[at + 1 - first]]:
                        for phrase, end in behind(node, words, at + 2 - first):
                            meaning = self._of(phrase)
                            key = meaning, end - at + first
                            longer[key] = longer.get(key, 0) | 1 << at
                            serves |= meaning.serves
            complete |= serves & serves >> len(self._patterns) & serves >> 2 * len(self._patterns)
            firsts.append(first)
            first += len(words) + self._apart
        return known, longer, firsts, complete & (1 << len(self._patterns)) - 1

    def look_up(self, word: str) -> _Known:
        """What a word can be alone, and the phrases that it begins."""
        nodes = self._root.after(word)
        classes = 0
        for node in nodes:
            classes |= node.bits
        longer = tuple(node for node in nodes if node.exact or node.prefixes)
        # Words that begin the same phrases share what may follow, so that no text can fill the memory with it.
        pairs = self._pairs.setdefault(tuple(map(id, longer)), Pairs(longer)) if longer else None
        return self._of(classes) if classes else None, pairs

    def _of(self, classes: int) -> _Meaning:
        """What some classes mean. Phrases and parts have few sets of them, words as many as exist."""
        known = self._meanings.get(classes)
        if known is None:
            if len(self._meanings) >= _REMEMBERED:
                self._meanings.clear()
            numbers = frozenset(bits(classes))
            serves = 0
            for number in numbers:
                serves |= self._serving[number]
            known = self._meanings[classes] = _Meaning(numbers, serves)
        return known

    def _served(self) -> tuple[list[int], int]:
        """For each class, a bit for each pattern of which it is the rarest, then the second, then the third; and
        the bits of what patterns have no need of: they have fewer classes, or parts may make them.
        """
        serving = [0] * len(self._items)
        granted = 0
        size = len(self._patterns)
        made = 0
        for pattern in self._patterns:
            made |= self._bits[pattern.makes] if pattern.makes >= 0 else 0
        common = self._frequencies()
        for index, needs in enumerate(self._needs):
            classes = sorted((one for one in needs if not made >> one & 1), key=lambda one: (common[one], one))
            for place in range(_RAREST):
                bit = 1 << place * size + index
                if place < len(classes):
                    serving[classes[place]] |= bit
                else:
                    granted |= bit
        return serving, granted

    def _frequencies(self) -> list[float]:
        """About how common the words of each class are, for want of counts: a long word or phrase is rare."""
        found: list[float] = []
        for items in self._items:
            named = (found[self._ids[item]] for item in items if item.startswith("<"))
            found.append(sum(named) + sum(2.0 ** -len(item) for item in items if not item.startswith("<")))
        return found

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
        elements: list[tuple[int, tuple[int, ...]]] = []
        gap = 0
        for element in line.split():
            if element.startswith(".."):
                gap = gap_of(element)
                continue
            elements.append((self._element(element), steps(gap)))
            self._apart = max(self._apart, gap + 1)
            gap = 0
        if not elements or gap:
            raise PatternError(f"'{line}' must begin and end with an element", line)
        return Pattern(name, elements[0][0], tuple(elements[1:]))

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
