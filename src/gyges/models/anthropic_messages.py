"""Anthropic Messages, at Anthropic and at every server that speaks it, through the `anthropic` SDK.

Blocks are told apart by their `type` as it stands in the bytes: the SDK takes what it does not know for text. It
knows nothing of retries and nothing of episodes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from urllib.parse import urlsplit

import anthropic
import httpx2

from gyges.errors import UsageError
from gyges.models import begun as beginnings
from gyges.models import streams, wire
from gyges.models.connection import ASKED, MOST_BYTES, Connection, http_client, needed
from gyges.models.failures import failed, failed_inside
from gyges.models.http import Wire, address, timeouts
from gyges.models.provider import Begun, Form, Received, Reply, Sampling, Tool, Usage
from gyges.models.tools import Written, arguments, settled
from gyges.models.wire import Json
from gyges.transcripts.reasoning import split_tags
from gyges.transcripts.record import Message, Outcome, Reasoning, ToolCall, Visibility

BASE_URL = "https://api.anthropic.com"

LONGEST_UNSTREAMED = 21_333
"""Tokens above which an answer may take ten minutes: the SDK then insists on a stream, and so do networks."""

_DONE = frozenset({"end_turn", "stop_sequence", "tool_use"})
_CUT = {
    "max_tokens": Outcome.TRUNCATED,
    "model_context_window_exceeded": Outcome.CONTEXT_OVERFLOW,
    # "when streaming classifiers intervene to handle potential policy violations", as the SDK has it: a filter of
    # the provider's. A model of Anthropic's that refuses says so in prose, and ends its turn.
    "refusal": Outcome.FILTERED_BY_PROVIDER,
}


class AsyncAnthropic(anthropic.AsyncAnthropic):
    """The SDK's client, by whose name it goes. What it does alike for every request is done once."""

    _needed: dict[str, str | anthropic.Omit] | None = None

    @property
    def default_headers(self) -> dict[str, str | anthropic.Omit]:
        if self._needed is None:
            self._needed = needed(super().default_headers)
        return self._needed

    def _prepare_url(self, url: str) -> httpx2.URL:
        return address(url)


class AnthropicMessages:
    """Messages at one address. `base_url` ends before `/v1/messages`."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        name: str = "anthropic",
        stream: bool = False,
        connections: int = 1000,
        most_bytes: int = MOST_BYTES,
        wire: Wire | None = None,
    ) -> None:
        self.name = name
        self.base_url = base_url
        # Anthropic shows a summary of the thinking at most; the models behind other servers have only the words.
        self._own = (urlsplit(base_url).hostname or "").endswith("anthropic.com")
        self._stream = stream
        # In full: the SDK would put every call's address together anew, a tenth of what a call costs.
        self._url = base_url.rstrip("/") + "/v1/messages"
        self._client = AsyncAnthropic(
            api_key=key,
            base_url=base_url,
            max_retries=0,
            timeout=timeouts(),
            default_headers=ASKED,
            open_telemetry=False,
            http_client=http_client(base_url, connections, most_bytes, wire),
        )
        self._connection = Connection(
            base_url, key, self._post, anthropic.APIStatusError, anthropic.APIConnectionError
        )

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
        """The seed is left out: Messages takes none."""
        opening, rest = _split_system(messages)
        settings: Json = {"model": model, "max_tokens": sampling.max_tokens}
        if opening:
            settings["system"] = "\n\n".join(message.text for message in opening)
        if self._stream or sampling.max_tokens > LONGEST_UNSTREAMED:
            settings["stream"] = True
        if sampling.temperature is not None:
            settings["temperature"] = sampling.temperature
        settings |= _thinking(sampling)
        if tools:
            settings["tools"] = [_tool(tool) for tool in tools]
        if form is not None:
            _hold_to(form, settings)
        spelt = _messages(rest)
        if begun is not None:
            spelt.append(beginnings.messages(begun, _thinks(settings)))
        return wire.joined(settings, "messages", spelt)

    async def send(self, body: bytes, headers: Mapping[str, str]) -> Received:
        return await self._connection.send(body, headers)

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        return await self._client.post(
            self._url, content=body, cast_to=httpx2.Response, options={"headers": headers}
        )

    async def close(self) -> None:
        await self._client.close()

    # Reading

    def read(self, received: Received) -> Reply:
        if not 200 <= received.status < 300:
            raise failed(received)
        text, answer = streams.messages(received) if streams.is_stream(received) else wire.parse(received)
        if answer.get("error"):
            raise failed_inside(received, answer["error"])
        content = answer.get("content")
        if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
            raise wire.garbled(received, "the answer has no list of content blocks")
        blocks = wire.objects(content)
        usage = _usage(answer)
        thoughts, said = self._said(blocks)
        stop, details = wire.string(answer, "stop_reason"), wire.mapping(answer, "stop_details")
        calls_tools = any(block.get("type") == "tool_use" for block in blocks)
        outcome, reason = _outcome(stop, wire.string(details, "category"), said, calls_tools)
        explained = wire.visible(wire.string(details, "explanation") or "")
        return Reply(
            message=Message(
                role="assistant",
                text=said,
                reasoning=wire.settled(thoughts, usage.reasoning),
                replay=wire.raw(text, "content"),
                calls=_calls(wire.raw(text, "content")) if calls_tools else (),
                notes=((explained,) if explained else ())
                + wire.looping(outcome, [*(piece.text for piece in thoughts), said]),
            ),
            outcome=outcome,
            reason=reason,
            model=wire.string(answer, "model") or "",
            fingerprint="",
            usage=usage,
            stop=stop or "",
        )

    def _said(self, blocks: Sequence[Json]) -> tuple[list[Reasoning], str]:
        thoughts = [piece for block in blocks if (piece := self._thought(block)) is not None]
        # Text blocks side by side are one text, split for its citations; others are paragraphs.
        runs = [
            "".join(wire.string(block, "text") or "" for block in run)
            for is_text, run in groupby(blocks, key=lambda block: block.get("type") == "text")
            if is_text
        ]
        said = "\n\n".join(run for run in runs if run)
        if self._own:
            return thoughts, said
        tagged, said = split_tags(said, ("think",), Visibility.RAW)
        return thoughts + list(tagged), said

    def _thought(self, block: Json) -> Reasoning | None:
        match block.get("type"):
            case "thinking":
                words = wire.string(block, "thinking")
                if not words:
                    return Reasoning(Visibility.OMITTED, "anthropic.thinking")
                visibility = Visibility.SUMMARY if self._own else Visibility.RAW
                return Reasoning(visibility, "anthropic.thinking", words)
            case "redacted_thinking":
                return Reasoning(Visibility.REDACTED, "anthropic.redacted_thinking")
            case _:
                return None


def _split_system(messages: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """The system messages that open the conversation, which go to the top, and the rest, which stays in order."""
    opening = next((i for i, message in enumerate(messages) if message.role != "system"), len(messages))
    return messages[:opening], messages[opening:]


def _messages(messages: Sequence[Message]) -> list[str]:
    """The results of all calls of an answer go back as one message, as Messages demands."""
    spelt: list[str] = []
    for is_result, run in groupby(messages, key=lambda message: message.role == "tool"):
        if is_result:
            spelt.append(wire.dumps({"role": "user", "content": [_result(message) for message in run]}))
        else:
            spelt += map(_message, run)
    return spelt


def _message(message: Message) -> str:
    if message.role == "assistant" and (message.replay or "").startswith("["):
        # Signed thinking is accepted only as it was sent: the blocks go back byte for byte, in their order.
        return f'{{"role":"assistant","content":{_replayed(message.replay or "", message.calls)}}}'
    if not message.calls:
        return wire.dumps({"role": message.role, "content": message.text})
    said = [{"type": "text", "text": message.text}] if message.text else []
    return wire.dumps({"role": message.role, "content": [*said, *map(_use, message.calls)]})


def _replayed(blocks: str, calls: Sequence[ToolCall]) -> str:
    """The blocks as they came, but for calls that Messages would not take: ids said twice, arguments no object."""
    values = wire.objects(json.loads(blocks))
    uses = [at for at, value in enumerate(values) if value.get("type") == "tool_use"]
    wrong = [
        (at, call)
        for at, call in zip(uses, calls, strict=True)
        if values[at].get("id") != call.id or not isinstance(values[at].get("input"), dict)
    ]
    if not wrong:
        return blocks
    texts = [wire.raw(blocks, at) for at in range(len(values))]
    for at, call in wrong:
        texts[at] = wire.dumps(_use(call))
    return f"[{','.join(texts)}]"


def _use(call: ToolCall) -> Json:
    try:
        given = arguments(call)
    except ValueError:
        # Messages takes objects only: what the model wrote in another format goes as the one thing in it.
        given = {"arguments": call.arguments}
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": given}


def _result(message: Message) -> Json:
    block: Json = {"type": "tool_result", "content": message.text}
    if message.result is not None:
        block["tool_use_id"] = message.result.call
        block |= {"is_error": True} if message.result.failed else {}
    return block


def _tool(tool: Tool) -> Json:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}


def _given(value: object, block: str) -> str:
    """The words of a call's arguments: JSON as it stands in its block, or text that is none."""
    return value if isinstance(value, str) else wire.members(block).get("input", "")


def _calls(blocks: str) -> tuple[ToolCall, ...]:
    """The calls in the JSON array `blocks`, their arguments as they are written there."""
    uses = {at: block for at, block in enumerate(json.loads(blocks)) if block.get("type") == "tool_use"}
    given = {at: _given(use.get("input"), wire.raw(blocks, at)) for at, use in uses.items()}
    return settled(
        Written(wire.string(use, "id"), wire.string(use, "name"), given[at]) for at, use in uses.items()
    )


def _hold_to(form: Form, settings: Json) -> None:
    tool = form.tool
    if form.way == "schema":
        effort = wire.mapping(settings, "output_config")
        settings["output_config"] = effort | {"format": {"type": "json_schema", "schema": tool.parameters}}
        return
    if _thinks(settings):
        raise UsageError(
            "Messages lets no model think that is made to call a tool", "write `verdict: schema`, or set no effort"
        )
    settings |= {"tools": [_tool(tool)], "tool_choice": {"type": "tool", "name": tool.name}}


def _thinks(settings: Json) -> bool:
    return wire.mapping(settings, "thinking").get("type", "disabled") != "disabled"


def _thinking(sampling: Sampling) -> Json:
    """A budget asks for that much thinking, an effort leaves the amount to the model, `none` turns it off."""
    effort, budget = sampling.reasoning_effort, sampling.reasoning_tokens
    settings: Json = {}
    if budget is not None:
        if budget >= sampling.max_tokens:
            raise UsageError(
                f"{budget} reasoning tokens leave no room in {sampling.max_tokens} tokens of answer",
                "set max_tokens above reasoning_tokens: the answer's limit counts both",
            )
        settings["thinking"] = {"type": "enabled", "budget_tokens": budget, "display": "summarized"}
    elif effort == "none":
        return {"thinking": {"type": "disabled"}}
    elif effort is not None:
        # Newer models leave the thinking out unless it is asked for.
        settings["thinking"] = {"type": "adaptive", "display": "summarized"}
    if effort is not None:
        settings["output_config"] = {"effort": effort}
    return settings


def _outcome(stop: str | None, category: str | None, said: str, calls_tools: bool) -> tuple[Outcome, str]:
    if stop in _CUT:
        return _CUT[stop], f"{stop}: {wire.visible(category, 60)}" if category else stop
    if stop not in _DONE:
        return Outcome.ERRORED, f"unknown_stop: {wire.visible(stop or 'none given', 60)}"
    if not said.strip() and not calls_tools:
        return Outcome.ERRORED, "empty"
    return Outcome.COMPLETED, ""


def _usage(answer: Json) -> Usage:
    usage = wire.mapping(answer, "usage")
    # `input_tokens` leaves out what went through the cache.
    uncached = wire.count(usage, "input_tokens")
    cached = [wire.count(usage, f"cache_{way}_input_tokens") or 0 for way in ("creation", "read")]
    return Usage(
        input=None if uncached is None else uncached + sum(cached),
        output=wire.count(usage, "output_tokens"),
        reasoning=wire.count(wire.mapping(usage, "output_tokens_details"), "thinking_tokens"),
    )
