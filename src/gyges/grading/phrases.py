"""Words and phrases in a tree, each with the bits of the classes that it belongs to. It knows no pattern."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

REMEMBERED = 500
"""Words that are remembered to go on the phrases of one word, or not to."""


@dataclass(slots=True)
class Node:
    """A place in the tree of phrases: the next words, and the class bits of the phrase that ends here."""

    exact: dict[str, Node] = field(default_factory=dict)
    prefixes: list[tuple[str, Node]] = field(default_factory=list)
    bits: int = 0

    def next(self, word: str) -> Node:
        """The place behind a word, made if there is none."""
        if not word.endswith("*"):
            return self.exact.setdefault(word, Node())
        for prefix, node in self.prefixes:
            if prefix == word[:-1]:
                return node
        self.prefixes.append((word[:-1], Node()))
        return self.prefixes[-1][1]

    def after(self, word: str) -> list[Node]:
        """The places behind a word of a text: behind the word itself, and behind what it begins with."""
        nodes = [node for prefix, node in self.prefixes if word.startswith(prefix)]
        if word in self.exact:
            nodes.append(self.exact[word])
        return nodes


class Pairs(dict[str, tuple[Node, ...]]):
    """What follows in the phrases that a word begins, by the word that follows it."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes

    def __missing__(self, word: str) -> tuple[Node, ...]:
        if len(self) >= REMEMBERED:
            self.clear()
        self[word] = tuple(after for node in self._nodes for after in node.after(word))
        return self[word]


def behind(node: Node, words: Sequence[str], at: int) -> Iterator[tuple[int, int]]:
    """Bits and end of every phrase that ends at `node`, or goes on from there at word `at`."""
    if node.bits:
        yield node.bits, at
    if (node.exact or node.prefixes) and at < len(words):
        for one in node.after(words[at]):
            yield from behind(one, words, at + 1)


def phrase_of(item: str) -> list[str]:
    """The words of an item of a class, such as `two_words`."""
    return item.replace("_", " ").lower().split()
