"""What an episode's messages say of its simulated world: its states, and what conditions ask about.

It carries nothing out: the changes are in the record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gyges.scenarios.condition import Called, Condition, Seen
from gyges.scenarios.text import MASK, Text
from gyges.scenarios.world import Change, State, World, changed
from gyges.scenarios.world_play import called
from gyges.transcripts.record import Message, ToolCall


def with_start(messages: Sequence[Message], world: World | None) -> tuple[Message, ...]:
    """The messages, the first of which tells how the world was at the start."""
    if world is None or not messages:
        return tuple(messages)
    start = tuple(Change(place, None, text) for place, text in world.start)
    return (replace(messages[0], changes=start), *messages[1:])


def start_of(messages: Sequence[Message]) -> State:
    """The world at the start, as the first message tells it; empty where there is none."""
    return changed({}, messages[0].changes) if messages and messages[0].role != "tool" else {}


def states(messages: Sequence[Message], start: Mapping[str, Text]) -> list[State]:
    """The world after each message."""
    found: list[State] = []
    state = dict(start)
    for message in messages:
        if message.role == "tool":
            state = changed(state, message.changes)
        found.append(state)
    return found


def carried_out(messages: Sequence[Message]) -> list[Called]:
    """The calls that were answered without an error, in the order of their answers."""
    calls: dict[str, ToolCall] = {}
    found = []
    for message in messages:
        for call in message.calls:
            calls[call.id] = call
        if message.result is None or message.result.failed or message.result.call not in calls:
            continue
        call = calls[message.result.call]
        found.append(called(call.name, _arguments(call.arguments)))
    return found


def _arguments(written: str) -> dict[str, object]:
    """The arguments of a call that was carried out: an object, or it would have failed."""
    try:
        given = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def seen(
    messages: Sequence[Message],
    start: Mapping[str, Text] | None = None,
    tests: Mapping[str, Condition] | None = None,
) -> Seen:
    """What conditions ask about, the signal hidden. `start` is the world's where the messages don't tell it."""
    began = start_of(messages) if start is None else start
    state = states(messages, began)[-1] if messages else began
    answer = next((message.text for message in reversed(messages) if message.role == "assistant"), "")
    return Seen(
        {place: text.without_signal(MASK) for place, text in began.items()},
        {place: text.without_signal(MASK) for place, text in state.items()},
        carried_out(messages),
        answer,
        tests or {},
    )
