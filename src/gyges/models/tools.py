"""Tool calls as they come from a model: each with an id of its own, its arguments as they were written.

What every wire format has in common. It knows no tool, and does not judge arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gyges.models import wire
from gyges.models.wire import Json
from gyges.transcripts.record import ToolCall


@dataclass(frozen=True, slots=True)
class Written:
    """A tool call as it stood in an answer; `id` may be missing or not the only one of its kind."""

    id: str | None
    name: str | None
    arguments: object
    """Text, or JSON where the format has no text for it."""


def settled(written: Iterable[Written]) -> tuple[ToolCall, ...]:
    """The calls, each with an id that no other one has, so that each can be answered once."""
    calls: list[ToolCall] = []
    taken: set[str] = set()
    for at, call in enumerate(written):
        id = _free(call.id or f"call-{at}", taken)
        taken.add(id)
        calls.append(ToolCall(id, call.name or "", _text(call.arguments)))
    return tuple(calls)


def _free(id: str, taken: set[str]) -> str:
    """The id, or the first of `id-2`, `id-3`, ... that is not taken."""
    free, number = id, 2
    while free in taken:
        free, number = f"{id}-{number}", number + 1
    return free


def _text(arguments: object) -> str:
    if isinstance(arguments, str):
        return arguments
    # Some servers send the arguments' JSON itself, not its text.
    return "" if arguments is None else wire.dumps(arguments)


def arguments(call: ToolCall) -> Json:
    """The call's arguments as an object. Raises ValueError, whose words a model can read, for what is none.

    Nothing is repaired: what a model wrote wrongly it is told.
    """
    try:
        value = wire.value(call.arguments)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the arguments are no JSON: {wire.why(error)}") from None
    if not isinstance(value, dict):
        raise ValueError(f"the arguments are a JSON {type(value).__name__}, not an object")
    return value


def function_calls(message: Json) -> tuple[ToolCall, ...]:
    """The calls of an assistant message of Chat Completions."""
    return settled(
        Written(wire.string(call, "id"), wire.string(function, "name"), function.get("arguments"))
        for call in wire.objects(message.get("tool_calls"))
        for function in [wire.mapping(call, "function")]
    )


def spelt_calls(calls: Sequence[ToolCall], message: Json) -> list[Json]:
    """The calls as Chat Completions spells them, with what a server wrote beside them (signatures, say)."""
    written = wire.objects(message.get("tool_calls")) if function_calls(message) == tuple(calls) else []
    beside = written or [{}] * len(calls)
    # Streams number the calls; requests have no such field.
    return [
        {name: value for name, value in more.items() if name != "index"}
        | {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call, more in zip(calls, beside, strict=True)
    ]
