"""OpenAI Chat Completions, at OpenAI and at every server that speaks it, through the `openai` SDK.

Reasoning comes in fields the SDK has no names for (`reasoning_content`, `reasoning`, `reasoning_details`) or in
tags inside the answer: all are read from the bytes. It knows nothing of retries and nothing of episodes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gyges.models import begun as beginnings
from gyges.models import streams, wire
from gyges.models.connection import MOST_BYTES
from gyges.models.failures import failed, failed_inside
from gyges.models.http import Wire
from gyges.models.openai_connection import OpenAIConnection, is_openai, refuse_budget
from gyges.models.provider import (
    Begun,
    CallFailed,
    Continuation,
    Form,
    Received,
    Reply,
    Sampling,
    Tool,
    Trouble,
    Usage,
)
from gyges.models.tools import function_calls, spelt_calls
from gyges.models.wire import Json
from gyges.transcripts.reasoning import split_tags
from gyges.transcripts.record import Message, Outcome, Reasoning, Visibility

BASE_URL = "https://api.openai.com/v1"

TAGS = ("think",)
"""The tags that open models put around their reasoning when the server leaves it in the answer."""

_DONE = frozenset({"stop", "tool_calls", "function_call", "end_turn", "eos"})
_CUT = {
    "length": Outcome.TRUNCATED,
    "max_tokens": Outcome.TRUNCATED,
    "model_length": Outcome.CONTEXT_OVERFLOW,
    "content_filter": Outcome.FILTERED_BY_PROVIDER,
}
_BROKEN_OFF = frozenset({"error", "abort", "insufficient_system_resource"})
"""Stops that say that the server gave up, not the model."""


class OpenAIChat:
    """Chat Completions at one address. `base_url` ends before `/chat/completions`."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        name: str = "openai",
        returned: Sequence[str] = (),
        returned_with_calls: Sequence[str] = (),
        continues: Continuation = "no",
        stream: bool = False,
        connections: int = 1000,
        most_bytes: int = MOST_BYTES,
        wire: Wire | None = None,
    ) -> None:
        """`returned` names the fields of an assistant message that this server wants back beside its text,
        `returned_with_calls` those that it wants back where the message calls tools; `continues` says how it
        goes on from the beginning of an answer.
        """
        self.name = name
        self.base_url = base_url
        self._own = is_openai(base_url)
        self._returned = tuple(returned)
        self._returned_with_calls = (*self._returned, *returned_with_calls)
        self._continues: Continuation = continues
        self._stream = stream
        self._connection = OpenAIConnection(base_url, key, "/chat/completions", connections, most_bytes, wire)

    # Asking

    def request(
        self,
        model: str,
        messages: Sequence[Message],
        sampling: Sampling,
        tools: Sequence[Tool] = (),
        form: Form | None = None,
        begun: Begun | None = None,
    ) -> bytes:
        refuse_budget(sampling)
        # OpenAI refuses max_tokens for its reasoning models; many compatible servers know no other name.
        settings: Json = {
            "model": model,
            ("max_completion_tokens" if self._own else "max_tokens"): sampling.max_tokens,
            "temperature": sampling.temperature,
            "reasoning_effort": sampling.reasoning_effort,
            "seed": sampling.seed,
            "tools": [_tool(tool) for tool in tools] or None,
            "stream": self._stream or None,
            # Without it a stream says nothing of its tokens.
            "stream_options": {"include_usage": True} if self._stream else None,
        } | _held_to(form)
        given = {name: value for name, value in settings.items() if value is not None}
        spelt = [self._message(message) for message in messages]
        if begun is not None:
            last, more = beginnings.chat(begun, self._continues)
            spelt, given = [*spelt, wire.dumps(last)], given | more
        return wire.joined(given, "messages", spelt)

    def _message(self, message: Message) -> str:
        said: Json = {"role": message.role, "content": message.text}
        if message.result is not None:
            said["tool_call_id"] = message.result.call
        if message.role != "assistant":
            return wire.dumps(said)
        if message.calls and not message.text:
            said["content"] = None
        replay = message.replay or ""
        members = wire.members(replay) if replay.startswith("{") else {}
        if any(piece.visibility is Visibility.SCRATCHPAD for piece in message.reasoning):
            # It was said in the answer, and taken out of it here: the model sees what it said.
            said["content"] = wire.string(json.loads(replay), "content") if members else message.text
        returned = self._returned_with_calls if message.calls else self._returned
        extra = {name: members[name] for name in returned if name in members}
        if message.calls:
            extra["tool_calls"] = wire.dumps(spelt_calls(message.calls, json.loads(replay) if members else {}))
        return wire.dumps(said)[:-1] + "".join(f",{wire.dumps(name)}:{extra[name]}" for name in extra) + "}"

    async def send(self, body: bytes, headers: Mapping[str, str]) -> Received:
        return await self._connection.send(body, headers)

    async def close(self) -> None:
        await self._connection.close()

    # Reading

    def read(self, received: Received) -> Reply:
        if not 200 <= received.status < 300:
            raise failed(received)
        text, answer = streams.chat(received) if streams.is_stream(received) else wire.parse(received)
        if answer.get("error"):
            raise failed_inside(received, answer["error"])
        choice = _choice(received, answer)
        message, stop = wire.mapping(choice, "message"), wire.string(choice, "finish_reason")
        if stop in _BROKEN_OFF:
            raise _broken_off(received, choice, stop)
        usage = _usage(answer)
        reasoning, said = self._said(received, message)
        refusal = wire.string(message, "refusal") or ""
        if said is None and not (refusal or reasoning or message.get("tool_calls")) and stop not in _CUT:
            raise wire.garbled(received, "the message has no content")
        outcome, reason = _outcome(stop, refusal, said or "", bool(message.get("tool_calls")))
        return Reply(
            message=Message(
                role="assistant",
                text="\n\n".join(part for part in (said, refusal) if part),
                reasoning=wire.settled(reasoning, usage.reasoning),
                replay=wire.raw(text, "choices", 0, "message"),
                calls=function_calls(message),
                notes=wire.looping(outcome, [*(piece.text for piece in reasoning), said]),
            ),
            outcome=outcome,
            reason=reason,
            model=wire.string(answer, "model") or "",
            fingerprint=wire.string(answer, "system_fingerprint") or "",
            usage=usage,
            stop=stop or "",
        )

    def _said(self, received: Received, message: Json) -> tuple[list[Reasoning], str | None]:
        """The reasoning in every channel, each once, and the answer's text (None if none was sent)."""
        content = message.get("content")
        if content is not None and not isinstance(content, (str, list)):
            raise wire.garbled(received, f"the message's content is a {type(content).__name__}")
        pieces = _in_fields(message)
        if isinstance(content, list):
            parts, content = _in_parts(content)
            pieces += parts
        if content is None:
            return pieces, None
        # OpenAI's own models do not put reasoning into tags unless the prompt asks for it.
        visibility = Visibility.SCRATCHPAD if self._own else Visibility.RAW
        tagged, said = split_tags(content, TAGS, visibility)
        return pieces + list(tagged), said


def _tool(tool: Tool) -> Json:
    about: Json = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": about}


def _held_to(form: Form | None) -> Json:
    if form is None:
        return {}
    tool = form.tool
    if form.way == "schema":
        schema: Json = {"name": tool.name, "strict": True, "schema": tool.parameters}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    about: Json = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {
        "tools": [{"type": "function", "function": about | {"strict": True}}],
        "tool_choice": {"type": "function", "function": {"name": tool.name}},
    }


def _choice(received: Received, answer: Json) -> Json:
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices:
        raise wire.garbled(received, "the answer has no choices")
    choice = choices[0]
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        raise wire.garbled(received, "the answer's first choice has no message")
    return choice


def _broken_off(received: Received, choice: Json, stop: str) -> CallFailed:
    error = choice.get("error")
    if error:
        return failed_inside(received, error)
    return CallFailed(Trouble.TRANSIENT, f"the server broke the answer off ({stop})", received)


def _outcome(stop: str | None, refusal: str, said: str, calls_tools: bool) -> tuple[Outcome, str]:
    if stop in _CUT:
        return _CUT[stop], stop
    if refusal:
        return Outcome.REFUSED_BY_MODEL, "refusal"
    if stop not in _DONE:
        return Outcome.ERRORED, f"unknown_stop: {wire.visible(stop or 'none given', 60)}"
    if not said.strip() and not calls_tools:
        return Outcome.ERRORED, "empty"
    return Outcome.COMPLETED, ""


def _usage(answer: Json) -> Usage:
    usage = wire.mapping(answer, "usage")
    return Usage(
        input=wire.count(usage, "prompt_tokens"),
        output=wire.count(usage, "completion_tokens"),
        reasoning=wire.count(wire.mapping(usage, "completion_tokens_details"), "reasoning_tokens"),
    )


def _in_parts(content: list[object]) -> tuple[list[Reasoning], str | None]:
    """Content as a list of parts: some servers put reasoning into parts of their own."""
    parts = wire.objects(content)
    thoughts = [
        Reasoning(Visibility.RAW, "part:thinking", _part_text(part))
        for part in parts
        if part.get("type") == "thinking"
    ]
    texts = [wire.string(part, "text") for part in parts if part.get("type") == "text"]
    said = [text for text in texts if text is not None]
    return thoughts, "".join(said) if said else None


def _part_text(part: Json) -> str:
    inside = part.get("thinking")
    if isinstance(inside, str):
        return inside
    return "".join(wire.string(item, "text") or "" for item in wire.objects(inside))


def _in_fields(message: Json) -> list[Reasoning]:
    """Reasoning in fields of its own. Servers send the same words under two names: each is kept once."""
    pieces = _details(message)
    told = {
        "".join(piece.text or "" for piece in pieces).strip(),
        *((piece.text or "").strip() for piece in pieces),
    }
    for name in ("reasoning_content", "reasoning"):
        words = wire.string(message, name)
        # Some servers send "" in every answer, also where nothing was thought.
        if words and words.strip() not in told:
            told.add(words.strip())
            pieces.append(Reasoning(Visibility.RAW, f"field:{name}", words))
    return pieces


_DETAILS = {"reasoning.text": ("text", Visibility.RAW), "reasoning.summary": ("summary", Visibility.SUMMARY)}


def _details(message: Json) -> list[Reasoning]:
    """`reasoning_details`: readable and encrypted parts, which may stand side by side and are both kept."""
    pieces = []
    for item in wire.objects(message.get("reasoning_details")):
        kind = wire.string(item, "type") or ""
        if kind == "reasoning.encrypted":
            pieces.append(Reasoning(Visibility.REDACTED, f"reasoning_details:{kind}"))
        elif kind in _DETAILS:
            name, visibility = _DETAILS[kind]
            words = wire.string(item, name)
            if words is not None:
                pieces.append(Reasoning(visibility, f"reasoning_details:{kind}", words))
    return pieces
