"""A text and the spans of it that are the signal. It knows no template and no plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Span = tuple[int, int]
"""Start and end in a text, in Python characters; the end is not included."""
MASK = "[...]"
"""Stands for every signal where the signal is hidden."""


@dataclass(frozen=True, slots=True)
class Text:
    """A rendered text, and the spans of it that are the signal (sorted, not overlapping)."""

    text: str
    signal: tuple[Span, ...] = ()

    def without_signal(self, mask: str = "") -> str:
        """The text with every span of the signal replaced by `mask`."""
        kept, at = [], 0
        for start, end in self.signal:
            kept += [self.text[at:start], mask]
            at = end
        return "".join([*kept, self.text[at:]])


def joined(parts: Iterable[Text | str]) -> Text:
    """The parts one after the other, each with its spans."""
    kept: list[str] = []
    spans: list[Span] = []
    at = 0
    for part in parts:
        if isinstance(part, Text):
            spans += [(at + start, at + end) for start, end in part.signal]
            part = part.text
        kept.append(part)
        at += len(part)
    return Text("".join(kept), tuple(spans))


def lines(texts: Iterable[Text | str]) -> Text:
    """The texts, a line feed between each two."""
    parts: list[Text | str] = []
    for text in texts:
        parts += ["\n", text] if parts else [text]
    return joined(parts)


def part(text: Text, start: int, end: int) -> Text:
    """A part of a text with what it has of the signal."""
    spans = tuple((max(a, start) - start, min(b, end) - start) for a, b in text.signal if a < end and b > start)
    return Text(text.text[start:end], spans)
