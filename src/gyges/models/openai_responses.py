"""OpenAI Responses, at OpenAI and at servers that speak it, through the `openai` SDK.

Reasoning comes as items: a summary at OpenAI, the words themselves from open models, or only an encrypted blob.
Items go back byte for byte. Nothing is stored at the provider. It knows no retries and no episodes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gyges.models import streams, wire
from gyges.models.begun import NO_WAY
from gyges.models.connection import MOST_BYTES
from gyges.models.failures import failed, failed_inside
from gyges.models.http import Wire
from gyges.models.openai_connection import OpenAIConnection, is_openai, refuse_budget
from gyges.models.provider import Begun, CannotContinue, Form, Received, Reply, Sampling, Tool, Usage
from gyges.models.tools import Written, settled
from gyges.models.wire import Json
from gyges.transcripts.reasoning import split_tags
from gyges.transcripts.record import Message, Outcome, Reasoning, ToolCall, Visibility

_CUT = {"max_output_tokens": Outcome.TRUNCATED, "content_filter": Outcome.FILTERED_BY_PROVIDER}
_UNFINISHED = frozenset({"queued", "in_progress", "cancelled"})


class OpenAIResponses:
    """Responses at one address. `base_url` ends before `/responses`."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        name: str = "openai-responses",
        stream: bool = False,
        connections: int = 1000,
        most_bytes: int = MOST_BYTES,
        wire: Wire | None = None,
    ) -> None:
        self.name = name
        self.base_url = base_url
        self._own = is_openai(base_url)
        self._stream = stream
        self._connection = OpenAIConnection(base_url, key, "/responses", connections, most_bytes, wire)

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
        """The seed is left out: Responses takes none. With an effort a summary of the reasoning is asked for."""
        refuse_budget(sampling)
        if begun is not None:
            raise CannotContinue(NO_WAY["responses"])
        settings: Json = {"model": model, "store": False, "max_output_tokens": sampling.max_tokens}
        if self._stream:
            settings["stream"] = True
        if sampling.temperature is not None:
            settings["temperature"] = sampling.temperature
        effort = sampling.reasoning_effort
        if effort is not None:
            settings["reasoning"] = {"effort": effort} | ({} if effort == "none" else {"summary": "auto"})
        if tools:
            settings["tools"] = [_tool(tool) for tool in tools]
        settings |= _held_to(form)
        items = (_item(message) for message in messages)
        return wire.joined(settings, "input", [item for item in items if item])

    async def send(self, body: bytes, headers: Mapping[str, str]) -> Received:
        return await self._connection.send(body, headers)

    async def close(self) -> None:
        await self._connection.close()

    # Reading

    def read(self, received: Received) -> Reply:
        if not 200 <= received.status < 300:
            raise failed(received)
        text, answer = streams.responses(received) if streams.is_stream(received) else wire.parse(received)
        if answer.get("error"):
            raise failed_inside(received, answer["error"])
        status = wire.string(answer, "status") or ""
        output = answer.get("output")
        if status in _UNFINISHED or status == "failed":
            raise wire.garbled(received, f"the response's status is {status}")
        if not isinstance(output, list) or not all(isinstance(item, dict) for item in output):
            raise wire.garbled(received, "the response has no list of output items")
        items = wire.objects(output)
        usage = _usage(answer)
        thoughts, said, refusal = self._said(items)
        stop = wire.string(wire.mapping(answer, "incomplete_details"), "reason") or status
        calls_tools = any((wire.string(item, "type") or "").endswith("_call") for item in items)
        outcome, reason = _outcome(stop, refusal, said, calls_tools)
        return Reply(
            message=Message(
                role="assistant",
                text="\n\n".join(part for part in (said, refusal) if part),
                reasoning=wire.settled(thoughts, usage.reasoning),
                replay=wire.raw(text, "output"),
                calls=_calls(items),
                notes=_withheld(answer) + wire.looping(outcome, [*(piece.text for piece in thoughts), said]),
            ),
            outcome=outcome,
            reason=reason,
            model=wire.string(answer, "model") or "",
            fingerprint="",
            usage=usage,
            stop=stop,
        )

    def _said(self, items: Sequence[Json]) -> tuple[list[Reasoning], str, str]:
        """Reasoning, text and refusal."""
        thoughts = [piece for item in items if item.get("type") == "reasoning" for piece in _thoughts(item)]
        parts = [wire.objects(item.get("content")) for item in items if item.get("type") == "message"]
        texts = [_text(message, "output_text", "text") for message in parts]
        refusals = [_text(message, "refusal", "refusal") for message in parts]
        said, refusal = ("\n\n".join(part for part in each if part) for each in (texts, refusals))
        if self._own:
            return thoughts, said, refusal
        tagged, said = split_tags(said, ("think",), Visibility.RAW)
        return thoughts + list(tagged), said, refusal


def _item(message: Message) -> str:
    """The message as input items, joined by commas."""
    if message.result is not None:
        output: Json = {"type": "function_call_output", "call_id": message.result.call, "output": message.text}
        return wire.dumps(output)
    if message.role == "assistant" and (message.replay or "").startswith("["):
        # A reasoning item is dropped unless it comes back as it was and before the item that it led to.
        return _replayed(message.replay or "", message.calls)
    calls = [_call(call) for call in message.calls]
    said: list[Json] = [{"role": message.role, "content": message.text}] if message.text or not calls else []
    return ",".join(wire.dumps(item) for item in (*said, *calls))


def _replayed(items: str, calls: Sequence[ToolCall]) -> str:
    """The items as they came, but for the ids of calls that were not told apart."""
    values = wire.objects(json.loads(items))
    asked = [at for at, value in enumerate(values) if value.get("type") == "function_call"]
    if [values[at].get("call_id") for at in asked] == [call.id for call in calls]:
        return items[1:-1].strip()
    texts = [wire.raw(items, at) for at in range(len(values))]
    for at, call in zip(asked, calls, strict=True):
        texts[at] = wire.dumps(values[at] | _call(call))
    return ",".join(texts)


def _call(call: ToolCall) -> Json:
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}


def _calls(items: Sequence[Json]) -> tuple[ToolCall, ...]:
    return settled(
        Written(wire.string(item, "call_id"), wire.string(item, "name"), item.get("arguments"))
        for item in items
        if item.get("type") == "function_call"
    )


def _tool(tool: Tool) -> Json:
    # Strict schemas are a dialect of their own: what an author writes is checked here, when it is called.
    about: Json = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", **about, "strict": False}


def _held_to(form: Form | None) -> Json:
    if form is None:
        return {}
    tool = form.tool
    if form.way == "schema":
        return {
            "text": {
                "format": {"type": "json_schema", "name": tool.name, "strict": True, "schema": tool.parameters}
            }
        }
    choice: Json = {"type": "function", "name": tool.name}
    return {"tools": [_tool(tool) | {"strict": True}], "tool_choice": choice}


def _text(parts: Sequence[Json], kind: str, name: str) -> str:
    return "".join(wire.string(part, name) or "" for part in parts if part.get("type") == kind)


def _thoughts(item: Json) -> list[Reasoning]:
    """The words and the summary where there are any, else whether it was encrypted or left out."""
    pieces = []
    words = _paragraphs(item.get("content"), "reasoning_text")
    if words:
        pieces.append(Reasoning(Visibility.RAW, "openai.reasoning_text", words))
    summary = _paragraphs(item.get("summary"), "summary_text")
    if summary:
        pieces.append(Reasoning(Visibility.SUMMARY, "openai.summary", summary))
    if pieces:
        return pieces
    hidden = Visibility.REDACTED if item.get("encrypted_content") else Visibility.OMITTED
    return [Reasoning(hidden, "openai.reasoning")]


def _paragraphs(parts: object, kind: str) -> str:
    texts = [wire.string(part, "text") for part in wire.objects(parts) if part.get("type") == kind]
    return "\n\n".join(text for text in texts if text)


def _outcome(stop: str, refusal: str, said: str, calls_tools: bool) -> tuple[Outcome, str]:
    if stop in _CUT:
        return _CUT[stop], stop
    if refusal:
        return Outcome.REFUSED_BY_MODEL, "refusal"
    if stop != "completed":
        return Outcome.ERRORED, f"unknown_stop: {wire.visible(stop or 'none given', 60)}"
    if not said.strip() and not calls_tools:
        return Outcome.ERRORED, "empty"
    return Outcome.COMPLETED, ""


def _withheld(answer: Json) -> tuple[str, ...]:
    """Reasoning of earlier turns that the provider did not show to the model, though it was sent."""
    changes = wire.objects(answer.get("input_transformations"))
    return tuple(
        f"{wire.visible(str(change.get('type')), 40)} {wire.visible(str(change.get('action')), 40)}: "
        f"{wire.visible(str(change.get('reason')), 60)}"
        for change in changes
    )


def _usage(answer: Json) -> Usage:
    usage = wire.mapping(answer, "usage")
    return Usage(
        input=wire.count(usage, "input_tokens"),
        output=wire.count(usage, "output_tokens"),
        reasoning=wire.count(wire.mapping(usage, "output_tokens_details"), "reasoning_tokens"),
    )
