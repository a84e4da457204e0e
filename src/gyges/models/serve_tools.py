"""Tools in requests and answers, in the spelling of each wire format. It knows no organism."""

from __future__ import annotations

import json

from gyges.models.serve_json import Json, Value, as_object, as_objects, text_of
from gyges.transcripts.record import Message, Role, ToolCall, ToolResult


def offered(body: Json) -> tuple[str, ...]:
    """The names of a request's tools: Chat Completions has them one level deeper than the others."""
    names = [
        tool.get("name") or as_object(tool.get("function")).get("name") for tool in as_objects(body.get("tools"))
    ]
    return tuple(name for name in names if isinstance(name, str))


def said(role: Role, text: str, message: Json) -> list[Message]:
    """A message of Chat Completions or Messages: the results in it, each a message of its own, then the rest."""
    blocks = as_objects(message.get("content"))
    results = [
        Message("tool", text_of(block.get("content")), result=ToolResult(str(block.get("tool_use_id"))))
        for block in blocks
        if block.get("type") == "tool_result"
    ]
    if role == "tool":
        return [Message("tool", text, result=ToolResult(str(message.get("tool_call_id"))))]
    calls = [
        ToolCall(str(block.get("id")), str(block.get("name")), json.dumps(block.get("input")))
        for block in blocks
        if block.get("type") == "tool_use"
    ]
    for call in as_objects(message.get("tool_calls")):
        function = as_object(call.get("function"))
        calls.append(ToolCall(str(call.get("id")), str(function.get("name")), str(function.get("arguments"))))
    if results and not text:
        return results
    return [*results, Message(role, text, calls=tuple(calls))]


def item(given: Json) -> Message | None:
    """An item of Responses that is a call or its result."""
    call = str(given.get("call_id"))
    match given.get("type"):
        case "function_call":
            return Message("assistant", "", calls=(ToolCall(call, str(given["name"]), str(given["arguments"])),))
        case "function_call_output":
            return Message("tool", text_of(given.get("output")), result=ToolResult(call))
        case _:
            return None


def chat_calls(calls: tuple[ToolCall, ...]) -> list[Value]:
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]


def message_blocks(calls: tuple[ToolCall, ...]) -> list[Value]:
    return [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments)}
        for call in calls
    ]


def response_items(calls: tuple[ToolCall, ...]) -> list[Value]:
    return [
        {
            "id": f"fc_{call.id}",
            "type": "function_call",
            "status": "completed",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        for call in calls
    ]
