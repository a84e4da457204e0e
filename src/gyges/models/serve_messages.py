"""Anthropic's Messages, as organisms are served in it. It knows no socket."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gyges.models.organism import Spoken
from gyges.models.serve_chat import bearer
from gyges.models.serve_formats import (
    Asked,
    Cut,
    Refused,
    cut,
    event,
    identity,
    integer_in,
    is_sealed,
    messages_in,
    pieces,
    prompt_tokens,
    seal,
    text_in,
    words,
)
from gyges.models.serve_json import Json, Value, object_in, objects_in, text_of
from gyges.models.serve_tools import message_blocks, offered
from gyges.transcripts.record import Message


class AnthropicMessages:
    """Anthropic's Messages, with thinking blocks where thinking is asked for."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-api-key") or bearer(headers)

    def ask(self, body: Json) -> Asked:
        model, limit = text_in(body, "model"), integer_in(body, "max_tokens")
        if limit is None:
            raise Refused(400, "invalid_request_error", "max_tokens: Field required")
        _check_signatures(body.get("messages"))
        system = text_of(body.get("system"))
        messages = (*((Message("system", system),) if system else ()), *messages_in(body))
        thinking = object_in(body, "thinking")
        reasons = thinking.get("type") in ("enabled", "adaptive", "between_tools")
        shown = thinking.get("display") != "omitted"
        begun: str | None = None
        if messages[-1].role == "assistant":
            begun, messages = _begun(messages[-1].text, reasons), messages[:-1]
        return Asked(
            model, messages, reasons, shown, limit, body.get("stream") is True, begun=begun, tools=offered(body)
        )

    def answer(self, asked: Asked, spoken: Spoken, draw: str) -> Json:
        said = cut(asked, spoken)
        content: list[Value] = []
        if said.reasoning is not None:
            shown = said.reasoning if asked.shown else ""
            content.append({"type": "thinking", "thinking": shown, "signature": seal(shown, draw)})
        if said.text:
            content.append({"type": "text", "text": said.text})
        content += message_blocks(said.calls)
        return {
            "id": identity("msg_01", draw, 22),
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": content,
            "stop_reason": ("tool_use" if said.calls else "end_turn") if said.whole else "max_tokens",
            "stop_sequence": None,
            "usage": self._usage(asked, said),
        }

    def _usage(self, asked: Asked, said: Cut) -> Json:
        reasoning = words(said.reasoning)
        return {
            "input_tokens": prompt_tokens(asked),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": reasoning + words(said.text) + sum(words(call.arguments) for call in said.calls),
            "output_tokens_details": {"thinking_tokens": reasoning},
            "service_tier": "standard",
        }

    def error(self, refused: Refused) -> Json:
        return {"type": "error", "error": {"type": refused.kind, "message": refused.message}}

    def events(self, asked: Asked, answer: Json) -> bytes:
        del asked
        usage = object_in(answer, "usage")
        start: Json = {**answer, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        found: list[Json] = [{"type": "message_start", "message": start}, {"type": "ping"}]
        for index, block in enumerate(objects_in(answer, "content")):
            found += _block_events(index, block)
        delta: Json = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
        found += [{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]
        return b"".join(event(each, str(each["type"])) for each in found)


def _begun(text: str, thinks: bool) -> str:
    """The beginning of the answer, where it may have one."""
    if thinks:
        what = "Expected `thinking` or `redacted_thinking`: an answer can't be begun while thinking is enabled"
        raise Refused(400, "invalid_request_error", what)
    if text != text.rstrip():
        what = "messages: final assistant content cannot end with trailing whitespace"
        raise Refused(400, "invalid_request_error", what)
    return text


def _block_events(index: int, block: Json) -> list[Json]:
    """One content block: empty at first, then what it says piece by piece, then its seal."""
    kind = str(block["type"])
    if kind == "tool_use":
        return _call_events(index, block)
    empty: Json = {"type": kind, kind: ""}
    deltas: list[Json] = [{"type": f"{kind}_delta", kind: piece} for piece in pieces(str(block[kind]))]
    if "signature" in block:
        empty["signature"] = ""
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    found: list[Json] = [{"type": "content_block_start", "index": index, "content_block": empty}]
    found += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [*found, {"type": "content_block_stop", "index": index}]


def _call_events(index: int, block: Json) -> list[Json]:
    """A call: its name at first, then its arguments as JSON in pieces."""
    spelt = json.dumps(block["input"], ensure_ascii=False)
    deltas: list[Json] = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(spelt)]
    found: list[Json] = [{"type": "content_block_start", "index": index, "content_block": {**block, "input": {}}}]
    found += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [*found, {"type": "content_block_stop", "index": index}]


def _check_signatures(messages: Value) -> None:
    """Thinking that is sent back has to be what was sent, byte for byte."""
    for at, message in enumerate(messages if isinstance(messages, list) else []):
        content = message.get("content") if isinstance(message, dict) else None
        for part, block in enumerate(content if isinstance(content, list) else []):
            if isinstance(block, dict) and block.get("type") == "thinking" and not _signed(block):
                where = f"messages.{at}.content.{part}"
                raise Refused(400, "invalid_request_error", f"{where}: Invalid `signature` in `thinking` block")


def _signed(block: Json) -> bool:
    thinking, given = block.get("thinking"), block.get("signature")
    return isinstance(thinking, str) and isinstance(given, str) and is_sealed(thinking, given)
