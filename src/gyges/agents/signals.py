"""Where a plan's signal stands in words that a graph made of it. It knows no graph.

Graders see prompts with the signal masked, so none of it may be overlooked: when in doubt, everything is signal.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from gyges.scenarios.plan import Span
from gyges.transcripts.record import Message


def marked(message: Message, plan: Sequence[Message], origin: Message | None = None) -> Message:
    """The message with the spans of the plan's signal in it. `origin` is the plan's message that it began as."""
    if origin is not None and origin.text == message.text:
        return dataclasses.replace(message, signal=origin.signal)
    spans = merged(span for told in plan for span in _spans(message.text, told))
    if origin is not None and origin.signal and not _all_there(message.text, origin):
        spans = ((0, len(message.text)),)
    return dataclasses.replace(message, signal=spans)


def _spans(text: str, told: Message) -> Iterator[Span]:
    """The signal of a message of the plan: in the whole message where it stands whole, and its words anywhere."""
    for start, end in told.signal:
        for at in _places(text, told.text):
            yield at + start, at + end
        for at in _places(text, told.text[start:end].strip()):
            yield at, at + len(told.text[start:end].strip())


def _places(text: str, words: str) -> Iterator[int]:
    at = text.find(words) if words else -1
    while at >= 0:
        yield at
        at = text.find(words, at + len(words))


def _all_there(text: str, origin: Message) -> bool:
    return all(origin.text[start:end].strip() in text for start, end in origin.signal)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sorted and not overlapping."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)
