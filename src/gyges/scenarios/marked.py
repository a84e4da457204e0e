"""Text whose signal is marked while templates are rendered. It knows no template."""

from __future__ import annotations

from collections.abc import Iterable

from gyges.scenarios.plan import Span, Text


class Marked(str):
    """A text with the spans of it that are the signal.

    Writing it out and joining it keep the marks; every other operation gives plain text, so a signal that was
    changed on its way is no declared signal.
    """

    spans: tuple[Span, ...]

    def __new__(cls, text: str, spans: tuple[Span, ...]) -> Marked:
        marked = super().__new__(cls, text)
        marked.spans = spans
        return marked

    def __str__(self) -> str:
        return self  # jinja calls str() on what it writes out, which would lose the marks


def signal(text: str) -> Marked:
    """`text` as one signal, all of it."""
    return Marked(text, ((0, len(text)),))


def joined(parts: Iterable[str]) -> str:
    """The parts, one after the other, with their marks."""
    kept: list[str] = []
    spans: list[Span] = []
    at = 0
    for part in parts:
        if isinstance(part, Marked):
            spans += [(at + start, at + end) for start, end in part.spans]
        kept.append(part)
        at += len(part)
    text = "".join(kept)
    return Marked(text, tuple(spans)) if spans else text


def as_text(rendered: str) -> Text:
    """A rendered text as a value."""
    # str.__str__ of a subclass gives a plain string.
    return Text(str.__str__(rendered), rendered.spans if isinstance(rendered, Marked) else ())
