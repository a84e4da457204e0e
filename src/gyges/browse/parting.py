"""Which turns of two transcripts stand side by side, and where the two part: in prompt, reasoning and action."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from gyges.browse.marks import Mark
from gyges.browse.place import SIDES, Place
from gyges.transcripts.record import Message

Marked = dict[Place, list[Mark]]
"""The marks of each text."""

Row = tuple[tuple[int, Message] | None, tuple[int, Message] | None]
"""What stands side by side: messages of the two transcripts, with their numbers."""


def add(marked: Marked, place: Place, mark: Mark) -> None:
    marked.setdefault(place, []).append(mark)


def call_id(side: str, message: int, at: int) -> str:
    """How a tool call's element is named."""
    return f"{side}-{message}-c{at}"


def aligned(first: Sequence[Message], second: Sequence[Message]) -> list[Row]:
    """Message beside message within each exchange: a longer one pushes the next down on both sides."""
    nothing: list[tuple[int, Message]] = []
    exchanges = zip_longest(_exchanges(first), _exchanges(second), fillvalue=nothing)
    return [row for one, other in exchanges for row in zip_longest(one, other)]


def _exchanges(messages: Sequence[Message]) -> list[list[tuple[int, Message]]]:
    """What comes before the user speaks, then each thing the user says with all that follows it."""
    exchanges: list[list[tuple[int, Message]]] = [[]]
    for number, message in enumerate(messages):
        if message.role == "user":
            exchanges.append([])
        exchanges[-1].append((number, message))
    return exchanges


def part(rows: Sequence[Row], marked: Marked) -> tuple[dict[str, str], tuple[str, ...]]:
    """Mark the first divergence in reasoning and in action on both sides.

    Returns the ids of the first side's, and where action parts with a tool call the ids of both sides' calls.
    """
    forks: dict[str, str] = {}
    parted: tuple[str, ...] = ()
    for one, other in rows:
        if one is None or other is None or one[1].role != "assistant" or other[1].role != "assistant":
            continue
        for block, (left, right) in enumerate(zip(_thoughts(one[1]), _thoughts(other[1]), strict=False)):
            if "reasoning" not in forks and left != right:
                places = (Place("a", one[0], "reasoning", block), Place("b", other[0], "reasoning", block))
                forks["reasoning"] = _fork("reasoning", places, (left, right), marked)
        if "action" not in forks and one[1].text != other[1].text:
            places = (Place("a", one[0], "text", 0), Place("b", other[0], "text", 0))
            forks["action"] = _fork("action", places, (one[1].text, other[1].text), marked)
        elif "action" not in forks and (parted := _parting_call(one, other)):
            forks["action"] = parted[0]
    return forks, parted


def _parting_call(one: tuple[int, Message], other: tuple[int, Message]) -> tuple[str, ...]:
    """The first tool call of each side that the other did not make, or made with other arguments."""
    made = [[(call.name, call.arguments) for call in message.calls] for message in (one[1], other[1])]
    for at, calls in enumerate(zip_longest(*made)):
        if calls[0] != calls[1]:
            sides = zip(SIDES, (one, other), calls, strict=True)
            return tuple(call_id(side, number, at) for side, (number, _), call in sides if call)
    return ()


def mark_differences(rows: Sequence[Row], marked: Marked) -> None:
    """Mark where prompts differ and no signal is recorded, as in transcripts that were imported.

    What tools answer differs with what they were asked.
    """
    for one, other in rows:
        if one is None or other is None or not {one[1].role, other[1].role} <= {"system", "user"}:
            continue
        left, right = one[1], other[1]
        if left.text == right.text or left.signal or right.signal:
            continue
        start = _parting(left.text, right.text)
        same = _parting(left.text[start:][::-1], right.text[start:][::-1])
        for side, (number, message) in zip(SIDES, (one, other), strict=True):
            end = len(message.text) - same
            if end > start:
                add(marked, Place(side, number, "text", 0), Mark(start, end, "differs", "only here"))


def _thoughts(message: Message) -> list[str]:
    return [reasoning.text or "" for reasoning in message.reasoning]


def _fork(what: str, places: tuple[Place, Place], texts: tuple[str, str], marked: Marked) -> str:
    at = _parting(*texts)
    for place, text in zip(places, texts, strict=True):
        end = _word_end(text, at)
        if end > at:
            add(marked, place, Mark(at, end, "fork", f"{what} differs", id=f"fork-{what}-{place.side}"))
    # An empty text has no word to mark; the other side's word stands for both.
    shown = "a" if _word_end(texts[0], at) > at else "b"
    return f"fork-{what}-{shown}"


def _parting(one: str, other: str) -> int:
    """Where the first words differ: the start of the first word that is not the same."""
    length = min(len(one), len(other))
    at = next((at for at in range(length) if one[at] != other[at]), length)
    if all(not text[at : at + 1].strip() for text in (one, other)):
        return at  # A word ends here in both.
    while at > 0 and not one[at - 1].isspace():
        at -= 1
    return at


def _word_end(text: str, start: int) -> int:
    found = re.compile(r"\s*\S{1,40}").match(text, start)
    return found.end() if found else len(text)
