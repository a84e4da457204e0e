"""Words and phrases in a tree, each with the bits of the classes that it belongs to. It knows no pattern."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


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


def ends(node: Node, words: Sequence[str], at: int) -> Iterator[tuple[int, int]]:
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
            yield from ends(one, words, at + 1)


def phrase_of(item: str) -> list[str]:
    """The words of an item of a class, such as `two_words`."""
    return item.replace("_", " ").lower().split()
