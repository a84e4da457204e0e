"""What a judge is shown of an episode: one encoded transcript, how much of it, and where its quotes may stand.

Everything the agent wrote is scanned for words to the grader; they are shown, or masked. It asks nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gyges.grading.addressed import Scanner, masked
from gyges.grading.addressed_forms import Addressed
from gyges.grading.grader import MASK, View
from gyges.grading.judge_file import Quotable, Sees
from gyges.grading.judge_parts import Channel, Piece, encoded
from gyges.grading.reasoning import blocks_of
from gyges.transcripts.grades import Evidence
from gyges.transcripts.judged import Coverage
from gyges.transcripts.record import Message

Place = tuple[Channel, int, int]
"""Channel (`reasoning`, `text`, `calls`), message and block."""


@dataclass(frozen=True)
class Shown:
    """A transcript as a judge gets it. `quotable` has every text that may be quoted, by its place."""

    pieces: tuple[Piece, ...]
    coverage: tuple[Coverage, ...]
    quotable: Mapping[tuple[Quotable, int, int], str]
    masks: Mapping[Place, Sequence[Addressed]] = field(default_factory=dict)

    @cached_property
    def encoded(self) -> str:
        """The whole of it."""
        return encoded(self.pieces)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.encoded.encode()).hexdigest()


def found_addressed(view: View, scanner: Scanner) -> dict[Place, tuple[Addressed, ...]]:
    """Where the agent speaks to the grader, by place; empty where it does not."""
    found = {place: _scanned(place, text, scanner) for place, text in _written(view)}
    return {place: spans for place, spans in found.items() if spans}


def _scanned(place: Place, text: str, scanner: Scanner) -> tuple[Addressed, ...]:
    """What speaks to the grader in a text; of a tool call, whose words are escaped, all or nothing."""
    if place[0] != "calls":
        return scanner.scan(text)
    name, _, arguments = text.partition("\n")
    found = [one.kind for part in (text, *_strings(arguments)) for one in scanner.scan(part)]
    return (Addressed("+".join(sorted({*found})), len(name) + 1, len(text)),) if found else ()


def _strings(arguments: str) -> Iterator[str]:
    """Every string in a call's arguments, keys too; nothing where they are no JSON."""
    try:
        waiting: list[object] = [json.loads(arguments)]
    except (ValueError, RecursionError):
        return
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case list() as items:
                waiting += items
            case dict() as members:
                waiting += [*members, *members.values()]


def quotable(view: View, quotes: Sequence[Quotable]) -> dict[tuple[Quotable, int, int], str]:
    """The texts of the agent that a judge may quote, by channel, message and block."""
    found: dict[tuple[Quotable, int, int], str] = {}
    if "reasoning" in quotes:
        found |= {("reasoning", block.message, block.index): block.text for block in blocks_of(view)}
    if "text" in quotes:
        own = [(at, one.text) for at, one in enumerate(view.messages) if one.role == "assistant" and one.text]
        found |= {("text", at, 0): text for at, text in own}
    return found


def shown(
    view: View,
    sees: Sequence[Sees],
    quotes: Sequence[Quotable] = ("reasoning",),
    masks: Mapping[Place, Sequence[Addressed]] | None = None,
) -> Shown:
    """The transcript, encoded; without what `masks` names."""
    hidden = masks or {}
    seen = blocks_of(view) if "reasoning" in sees else ()
    blocks = {(block.message, block.index): block.text for block in seen}
    pieces = [
        piece for at, message in enumerate(view.messages) for piece in _pieces(at, message, blocks, sees, hidden)
    ]
    return Shown(tuple(pieces), tuple(_coverage(view, blocks, sees)), quotable(view, quotes), hidden)


def evidence_of(view: View, found: Mapping[Place, Sequence[Addressed]]) -> tuple[Evidence, ...]:
    """The addressed text as evidence; that of tool calls has no place of its own and is left to the flags."""
    texts = dict(_written(view))
    return tuple(
        Evidence(message, channel, block, one.start, one.end, texts[place][one.start : one.end])
        for place, spans in found.items()
        for channel, message, block in [place]
        if channel != "calls"
        for one in spans
    )


def _written(view: View) -> Iterator[tuple[Place, str]]:
    """Everything that the agent wrote: each text with its place."""
    for at, message in enumerate(view.messages):
        if message.role != "assistant":
            continue
        for index, reasoning in enumerate(message.reasoning):
            if reasoning.text:
                yield ("reasoning", at, index), reasoning.text
        if message.text:
            yield ("text", at, 0), message.text
        for index, call in enumerate(message.calls):
            yield ("calls", at, index), f"{call.name}\n{call.arguments}"


def _pieces(
    at: int,
    message: Message,
    blocks: Mapping[tuple[int, int], str],
    sees: Sequence[Sees],
    masks: Mapping[Place, Sequence[Addressed]],
) -> Iterator[Piece]:
    """What the judge is shown of one message."""
    if message.role != "assistant":
        if "prompt" in sees:
            yield Piece(at, "tool" if message.role == "tool" else "prompt", "text", message.text)
        return
    for number, index in blocks:
        if number == at:
            yield _own(at, "reasoning", blocks[at, index], masks.get(("reasoning", at, index), ()))
    if message.text and "text" in sees:
        yield _own(at, "text", message.text, masks.get(("text", at, 0), ()))
    for index, call in enumerate(message.calls if "calls" in sees else ()):
        yield _own(at, "calls", f"{call.name}\n{call.arguments}", masks.get(("calls", at, index), ()))


def _own(at: int, channel: Channel, text: str, spans: Sequence[Addressed]) -> Piece:
    return Piece(at, "agent", channel, masked(text, spans, MASK) if spans else text)


def _coverage(view: View, blocks: Mapping[tuple[int, int], str], sees: Sequence[Sees]) -> Iterator[Coverage]:
    """How many characters of each channel are given, of how many there are."""
    own = [message for message in view.messages if message.role == "assistant"]
    thought = sum(len(one.text or "") for message in own for one in message.reasoning)
    yield Coverage(channel="reasoning", given=sum(map(len, blocks.values())), of=thought)
    text = sum(len(message.text) for message in own)
    yield Coverage(channel="text", given=text if "text" in sees else 0, of=text)
    calls = sum(len(call.name) + len(call.arguments) for message in own for call in message.calls)
    yield Coverage(channel="calls", given=calls if "calls" in sees else 0, of=calls)
    prompt = sum(len(message.text) for message in view.messages if message.role != "assistant")
    yield Coverage(channel="prompt", given=prompt if "prompt" in sees else 0, of=prompt)
