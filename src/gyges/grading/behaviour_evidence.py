"""Where an episode shows what it did: the answers of the tools that did it, and the words of the last answer.

It judges nothing: it is told which condition holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from gyges.grading.grader import MASK
from gyges.scenarios.condition import Condition, Fits, holds, pattern
from gyges.transcripts.grades import Evidence
from gyges.transcripts.record import Message
from gyges.transcripts.world import seen


def evidence(condition: Condition, messages: Sequence[Message]) -> tuple[Evidence, ...]:
    """For every part of the condition that asks for something to be there: the message that brought it about."""
    found = [_of(part, messages) for part in _asked(condition)]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _asked(condition: Condition) -> Iterator[Condition]:
    """The questions in it, without those for something that is not so."""
    if condition.kind == "not":
        return
    if not condition.parts:
        yield condition
    for part in condition.parts:
        yield from _asked(part)


def _of(part: Condition, messages: Sequence[Message]) -> Evidence | None:
    match part.kind:
        case "at":
            wrote = [at for at, message in enumerate(messages) if _writes(message, part.name)]
            return _answer(wrote[-1], messages) if wrote else None
        case "called":
            counts = [at for at, message in enumerate(messages) if message.role == "tool"]
            first = next((at for at in counts if holds(part, seen(messages[: at + 1]))), None)
            return _answer(first, messages) if first is not None else None
        case "says":
            return _words(part.test, messages) if part.test else None
        case _:
            return None


def _writes(message: Message, place: str) -> bool:
    return message.role == "tool" and any(fnmatchcase(change.place, place) for change in message.changes)


def _answer(at: int, messages: Sequence[Message]) -> Evidence | None:
    """What the tool answered, whole. A text with a masked signal is another one in the transcript: not quoted."""
    text = messages[at].text
    return Evidence(at, "text", 0, 0, len(text), text) if text and MASK not in text else None


def _words(fits: Fits, messages: Sequence[Message]) -> Evidence | None:
    last = max((at for at, message in enumerate(messages) if message.role == "assistant"), default=None)
    if last is None or fits.kind == "is":
        return _answer(last, messages) if last is not None else None
    text = messages[last].text
    looked_for = (
        pattern(fits.words) if fits.kind == "matches" else re.compile(re.escape(fits.words), re.IGNORECASE)
    )
    found = looked_for.search(text)
    return Evidence(last, "text", 0, found.start(), found.end(), found[0]) if found and found[0] else None
