"""Messages as LangChain's graphs have them, and as a transcript has them. It asks no model and knows no plan.

LangChain's messages have no place for reasoning with its visibility, nor for a provider's own JSON. So what a
model said is kept as it is beside them, and found again by the message's id.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.tool import ToolCall as LangChainCall
from langchain_core.messages.tool import invalid_tool_call, tool_call

from gyges.models.provider import Reply
from gyges.models.tools import arguments
from gyges.transcripts.record import READABLE, Message, Reasoning, ToolCall, ToolResult, Visibility

GIVEN = "gyges"
"""Begins the ids of messages that the graph was given, and did not make."""


def spoken(message: Message) -> BaseMessage:
    """A message of the plan, for the graph."""
    made = SystemMessage if message.role == "system" else HumanMessage
    return made(content=message.text, id=_id())


def _id() -> str:
    return f"{GIVEN}-{uuid.uuid4().hex}"


def answered(reply: Reply) -> AIMessage:
    """An answer, for the graph. Reasoning stands beside it where LangChain's integrations put it, for reading."""
    calls, invalid = _split(reply.message.calls)
    words = [piece.text for piece in reply.message.reasoning if piece.visibility in READABLE and piece.text]
    return AIMessage(
        content=reply.message.text,
        id=_id(),
        tool_calls=calls,
        invalid_tool_calls=invalid,
        additional_kwargs={"reasoning_content": "\n\n".join(words)} if words else {},
        response_metadata={"model_name": reply.model, "finish_reason": reply.stop},
    )


def _split(calls: Sequence[ToolCall]) -> tuple[list[LangChainCall], list[InvalidToolCall]]:
    valid, invalid = [], []
    for call in calls:
        try:
            valid.append(tool_call(name=call.name, args=arguments(call), id=call.id))
        except ValueError as error:
            invalid.append(invalid_tool_call(name=call.name, args=call.arguments, id=call.id, error=str(error)))
    return valid, invalid


def recorded(message: BaseMessage) -> Message:
    """A message of the graph's as a transcript has it. Raises ValueError for one that is more than text."""
    text = _text(message)
    match message:
        case SystemMessage():
            return Message("system", text)
        case HumanMessage():
            return Message("user", text)
        case ToolMessage():
            return Message("tool", text, result=ToolResult(message.tool_call_id, message.status == "error"))
        case AIMessage():
            return Message("assistant", text, (Reasoning(Visibility.ABSENT, "graph"),), calls=_calls(message))
    raise ValueError(f"a transcript can't hold a {type(message).__name__}")


def _text(message: BaseMessage) -> str:
    if isinstance(message.content, list):
        for part in message.content:
            if isinstance(part, dict) and part.get("type") not in ("text", "tool_use", "tool_call"):
                raise ValueError(f"a transcript can't hold a part of type {part.get('type')!r}")
    return str(message.text)


def _calls(message: AIMessage) -> tuple[ToolCall, ...]:
    valid = [ToolCall(call["id"] or "", call["name"], json.dumps(call["args"])) for call in message.tool_calls]
    invalid = [
        ToolCall(call["id"] or "", call["name"] or "", call["args"] or "") for call in message.invalid_tool_calls
    ]
    return (*valid, *invalid)


def same(one: Message, other: Message) -> bool:
    """Whether two messages of the assistant say the same and call the same tools."""
    return one.text == other.text and {call.id for call in one.calls} == {call.id for call in other.calls}
