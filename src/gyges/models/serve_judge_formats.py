"""What scripted judges say, as bodies of the wire formats. It knows no judge and no socket."""

from __future__ import annotations

from gyges.models.serve_json import Json, Value, object_in, objects_in
from gyges.models.serve_judge import Ruling

TOOL = "submit_verdict"


def spoken(ruling: Ruling, asked: Json) -> str:
    """What stands in the answer's text: prose, and the verdicts where they are demanded as text."""
    if is_forced(asked):
        return ruling.prose
    return "\n".join([*([ruling.prose] if ruling.prose else []), *ruling.verdicts])


def is_forced(asked: Json) -> bool:
    """Whether the request makes the model call a tool."""
    return bool(object_in(asked, "tool_choice"))


def with_ruling(body: Json, ruling: Ruling, asked: Json) -> Json:
    """The body of an answer, in the format that it is in, with calls and stops as the judge has them."""
    body = {**body, "model": ruling.model or body["model"]}
    if "choices" in body:
        return _chat(body, ruling, asked)
    return _responses(body, ruling, asked) if "output" in body else _messages(body, ruling, asked)


def _chat(body: Json, ruling: Ruling, asked: Json) -> Json:
    (choice,) = objects_in(body, "choices")
    message = {**object_in(choice, "message")}
    stops = {"done": choice["finish_reason"], "length": "length", "filter": "content_filter", "refusal": "stop"}
    stop: Value = stops[ruling.stop]
    if ruling.stop == "refusal":
        message |= {"content": None, "refusal": ruling.prose}
    elif is_forced(asked) and ruling.verdicts:
        calls: list[Value] = [
            {"id": f"call_{at}", "type": "function", "function": {"name": TOOL, "arguments": text}}
            for at, text in enumerate(ruling.verdicts)
        ]
        message |= {"content": ruling.prose or None, "tool_calls": calls}
        stop = "tool_calls" if ruling.stop == "done" else stop
    return {**body, "choices": [{**choice, "message": message, "finish_reason": stop}]}


def _messages(body: Json, ruling: Ruling, asked: Json) -> Json:
    content: list[Value] = [block for block in objects_in(body, "content") if block.get("text") != ""]
    stops: Json = {
        "done": body["stop_reason"],
        "length": "max_tokens",
        "filter": "refusal",
        "refusal": "refusal",
    }
    stop = stops[ruling.stop]
    if is_forced(asked) and ruling.verdicts:
        content += [
            {"type": "tool_use", "id": f"toolu_{at}", "name": TOOL, "input": _value(text)}
            for at, text in enumerate(ruling.verdicts)
        ]
        stop = "tool_use" if ruling.stop == "done" else stop
    return {**body, "content": content, "stop_reason": stop}


def _value(text: str) -> Value:
    """What a model wrote, as JSON; text that is none stays text."""
    import json

    try:
        found: Value = json.loads(text)
    except ValueError:
        return text
    return found


def _responses(body: Json, ruling: Ruling, asked: Json) -> Json:
    output: list[Value] = list(objects_in(body, "output"))
    changed: Json = {**body}
    if ruling.stop == "refusal":
        refusal: Json = {"type": "refusal", "refusal": ruling.prose}
        message: Json = {"type": "message", "id": "msg_0", "role": "assistant", "status": "completed"}
        output = [{**message, "content": [refusal]}]
    elif ruling.stop in ("length", "filter"):
        reason = "max_output_tokens" if ruling.stop == "length" else "content_filter"
        changed |= {"status": "incomplete", "incomplete_details": {"reason": reason}}
    if is_forced(asked) and ruling.verdicts:
        output = [item for item in objects_in(body, "output") if item.get("type") != "message"]
        output += [
            {
                "type": "function_call",
                "id": f"fc_{at}",
                "call_id": f"call_{at}",
                "name": TOOL,
                "arguments": text,
                "status": "completed",
            }
            for at, text in enumerate(ruling.verdicts)
        ]
    return {**changed, "output": output}
