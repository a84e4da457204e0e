"""One line of a file of transcripts, parsed: an episode from it, and back. It knows no file and no line number."""

from __future__ import annotations

import difflib
import json
from typing import Literal

from pydantic import ValidationError

from gyges.transcripts.exact import NOTHING_DECLARED, Declared, Details, Said, first_fault
from gyges.transcripts.reasoning import split_tags
from gyges.transcripts.record import (
    Episode,
    EpisodeKey,
    Message,
    Outcome,
    Reasoning,
    Role,
    ToolCall,
    ToolResult,
    Visibility,
)

REASONING_TAGS = ("think",)
"""Tags around the reasoning of models that were trained to reason."""
SCRATCHPAD_TAGS = ("SCRATCHPAD_REASONING", "scratchpad", "thinking", "reasoning")
"""Tags that prompts ask for; models without native reasoning write `<thinking>` only when told to."""

NO_FAMILY = "imported"
"""The family of scenarios whose names have no slash: they are one family, or each would be its own cluster."""

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
_REQUIRED = ("model", "scenario", "context", "sample", "messages")
_OPTIONAL = ("labels", "metadata", "gyges")
_REASONING_FIELDS = ("reasoning_content", "reasoning")
_TOOL_KEYS = ("tool_calls", "tool_call_id")
_MESSAGE_KEYS = ("role", "content", "name", "refusal", "gyges", *_REASONING_FIELDS, *_TOOL_KEYS)

_EXACT_KEYS = ("role", "content", "reasoning_content", "gyges", *_TOOL_KEYS)

Object = dict[str, object]


class Wrong(Exception):  # noqa: N818 - becomes an ImportLineError as soon as file and line are known
    """What is wrong with a line, and what to do about it."""

    def __init__(self, what: str, to_do: str = "") -> None:
        self.what = what
        self.to_do = to_do
        super().__init__(what)


def episode_from_line(value: object) -> Episode:
    """The episode that a parsed line describes. Raises Wrong."""
    return read_line(value)[0]


def read_line(value: object) -> tuple[Episode, Declared]:
    """The episode that a parsed line describes, and what its scenario declared where it says so. Raises Wrong."""
    line = _object(value, "the line")
    _refuse_unknown(line, (*_REQUIRED, *_OPTIONAL), "the line")
    for key in _REQUIRED:
        if key not in line:
            raise Wrong(f"{key!r} is missing", f"every line needs {', '.join(_REQUIRED)}")
    if "gyges" in line:
        return _exact_episode(line)
    scenario = _name(line, "scenario")
    messages = _messages(line["messages"])
    refused = messages[-1][1] is not None
    episode = Episode(
        key=EpisodeKey(_name(line, "model"), scenario, "", _name(line, "context"), _sample(line["sample"])),
        family=scenario.rpartition("/")[0] or NO_FAMILY,
        outcome=Outcome.REFUSED_BY_MODEL if refused else Outcome.COMPLETED,
        reason="the refusal field is set" if refused else "",
        messages=tuple(message for message, _ in messages),
        started=0.0,
        ended=0.0,
        model=_name(line, "model"),
        labels=_texts(line.get("labels"), "labels"),
        metadata=_texts(line.get("metadata"), "metadata"),
    )
    return episode, NOTHING_DECLARED


def line_from_episode(episode: Episode, declared: Declared = NOTHING_DECLARED) -> Object:
    """The line that `episode_from_line` makes this episode of. It shares nothing with the episode.

    Two lone surrogates side by side become one character on the way: JSON can't tell them apart.
    """
    return {
        "model": episode.key.agent,
        "scenario": episode.key.scenario,
        "context": episode.key.context,
        "sample": episode.key.sample,
        "messages": [_line_message(message) for message in episode.messages],
        "labels": dict(episode.labels),
        "metadata": dict(episode.metadata),
        "gyges": Details.of(episode, declared).model_dump(mode="python"),
    }


def _line_message(message: Message) -> Object:
    record: Object = {"role": message.role, "content": message.text}
    if words := [one.text for one in message.reasoning if one.text]:
        record["reasoning_content"] = "\n\n".join(words)  # For other tools: ours read `gyges`.
    if message.calls:
        record["tool_calls"] = [_line_call(call) for call in message.calls]
    if message.result:
        record["tool_call_id"] = message.result.call
    said = Said.of(message).model_dump(mode="python", exclude_defaults=True)
    return {**record, "gyges": said} if said else record


def _line_call(call: ToolCall) -> Object:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _exact_episode(line: Object) -> tuple[Episode, Declared]:
    """The episode of a line that was exported. What stands under `gyges` is taken as it is."""
    try:
        details = Details.model_validate(line["gyges"])
        messages = tuple(_exact_message(item) for item in _list(line["messages"], "'messages'"))
    except ValidationError as error:
        raise Wrong(first_fault(error), "leave what `gyges export` wrote there as it is") from error
    episode = Episode(
        key=EpisodeKey(
            _text_of(line, "model"),
            _text_of(line, "scenario"),
            details.variant,
            _text_of(line, "context"),
            _sample(line["sample"]),
        ),
        family=details.family,
        outcome=details.outcome,
        reason=details.reason,
        messages=messages,
        started=details.started,
        ended=details.ended,
        model=details.model,
        fork=details.left(),
        labels=_texts(line.get("labels"), "labels"),
        metadata=_texts(line.get("metadata"), "metadata"),
    )
    return episode, details.declared()


def _exact_message(value: object) -> Message:
    record = _object(value, "a message")
    _refuse_unknown(record, _EXACT_KEYS, "a message")
    role, text = record.get("role"), record.get("content")
    if not isinstance(role, str) or role not in _ROLES or not isinstance(text, str):
        raise Wrong("a message has no role or no text", "leave what `gyges export` wrote there as it is")
    return Said.model_validate(record.get("gyges", {})).message(_ROLES[role], text)


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise Wrong(f"{what} is {_kind(value)}, not a list", "write [{...}, ...]")
    return value


def _object(value: object, what: str) -> Object:
    if not isinstance(value, dict):
        raise Wrong(f"{what} is {_kind(value)}, not an object", "write {...}")
    return value


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return kinds[type(value)]


def _refuse_unknown(record: Object, known: tuple[str, ...], what: str) -> None:
    for key in record:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            to_do = f"did you mean {near[0]!r}?" if near else "put what else you know into 'metadata'"
            raise Wrong(f"{what} has an unknown key {key!r}", to_do)


def _text_of(line: Object, key: str) -> str:
    value = line[key]
    if not isinstance(value, str):
        raise Wrong(f"{key!r} is {_kind(value)}, not a text", "put it in quotes")
    return value


def _name(line: Object, key: str) -> str:
    value = _text_of(line, key)
    if not value.strip():
        raise Wrong(f"{key!r} is empty", "give it a name")
    return value


def _sample(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Wrong(f"'sample' is {_kind(value)}, not a whole number", "count the samples of a context from 0")
    if not 0 <= value < 2**31:
        raise Wrong(f"'sample' is {value}", "count the samples of a context from 0")
    return value


def _texts(value: object, what: str) -> tuple[tuple[str, str], ...]:
    """Names and values as text; a value that is null is missing."""
    if value is None:
        return ()
    items = _object(value, f"{what!r}").items()
    return tuple((name, _text(item)) for name, item in items if item is not None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


Part = tuple[Message, str | None]
"""A message, and the model's refusal if it has one."""


def _messages(value: object) -> list[Part]:
    items = _list(value, "'messages'")
    messages = [_message(item, f"message {number}") for number, item in enumerate(items, 1)]
    if not any(message.role == "assistant" for message, _ in messages):
        raise Wrong("there is no message of the assistant", "leave out episodes without an answer")
    return messages


def _message(value: object, what: str) -> Part:
    record = _object(value, what)
    _refuse_unknown({key: item for key, item in record.items() if item}, _MESSAGE_KEYS, what)
    role = record.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise Wrong(f"{what} has the role {role!r}", f"roles are {', '.join(_ROLES)}")
    if _ROLES[role] == "assistant":
        return _answer(record, what)
    answered = record.get("tool_call_id")
    result = ToolResult(answered) if role == "tool" and isinstance(answered, str) else None
    return Message(_ROLES[role], _content(record.get("content"), what), result=result), None


def _answer(record: Object, what: str) -> Part:
    fields = _reasoning_fields(record, what)
    refusal = record.get("refusal") or None
    if refusal is not None and not isinstance(refusal, str):
        raise Wrong(f"the refusal of {what} is {_kind(refusal)}, not a text", "leave it out, or write the words")
    content = record.get("content")
    calls = _calls(record, what)
    text = "" if content is None and (refusal or fields or calls) else _content(content, what)
    if refusal:
        text = f"{text}\n{refusal}" if text else refusal
    native, text = split_tags(text, REASONING_TAGS, Visibility.RAW)
    asked_for, text = split_tags(text, SCRATCHPAD_TAGS, Visibility.SCRATCHPAD)
    reasoning = (*fields, *native, *asked_for) or (Reasoning(Visibility.ABSENT, "import"),)
    return Message("assistant", text, reasoning, calls=calls), refusal


def _calls(record: Object, what: str) -> tuple[ToolCall, ...]:
    return tuple(_call(item, what) for item in _list(record.get("tool_calls") or [], f"'tool_calls' of {what}"))


def _call(value: object, what: str) -> ToolCall:
    call = _object(value, f"a tool call of {what}")
    function = _object(call.get("function"), f"the function of a tool call of {what}")
    id, name, arguments = call.get("id"), function.get("name"), function.get("arguments")
    if not (isinstance(id, str) and isinstance(name, str) and isinstance(arguments, str)):
        raise Wrong(f"a tool call of {what} lacks its id, name or arguments", "each of them is a text")
    return ToolCall(id, name, arguments)


def _reasoning_fields(record: Object, what: str) -> tuple[Reasoning, ...]:
    """Reasoning in a field of its own, as several servers send it."""
    found: list[Reasoning] = []
    for field in _REASONING_FIELDS:
        words = record.get(field)
        if words is None:
            continue
        if not isinstance(words, str):
            raise Wrong(f"{field!r} of {what} is {_kind(words)}, not a text", "write the words of the reasoning")
        found.append(Reasoning(Visibility.RAW, f"field:{field}", words))
    # Some servers send the same words in both fields.
    return tuple(found[:1]) if len({one.text for one in found}) == 1 else tuple(found)


def _content(value: object, what: str) -> str:
    """Text, or a list of text parts, each of which is a paragraph."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise Wrong(f"the content of {what} is {_kind(value)}", "write a text or a list of text parts")
    return "\n".join(_part(part, what) for part in value)


def _part(value: object, what: str) -> str:
    part = _object(value, f"a part of {what}")
    kind: object = part.get("type")
    key: Literal["text", "refusal"] = "refusal" if kind == "refusal" else "text"
    words = part.get(key)
    if kind not in ("text", "refusal") or not isinstance(words, str):
        raise Wrong(f"{what} has a part of type {kind!r} without text", "only parts of type 'text' can be read")
    return words
