"""OpenAI's Responses, as organisms are served in it: as an open model's server does, with its reasoning in words.

Where a summary is asked for, the words come as one; encrypted content binds them. It knows no socket.
"""

from __future__ import annotations

from collections.abc import Mapping

from gyges.models.organism import Spoken
from gyges.models.serve_chat import bearer, openai_error
from gyges.models.serve_formats import (
    CREATED,
    Asked,
    Cut,
    Refused,
    cut,
    event,
    identity,
    integer_in,
    is_sealed,
    messages_of,
    pieces,
    prompt_tokens,
    seal,
    text_in,
    words,
)
from gyges.models.serve_json import Json, Value, object_in, objects_in
from gyges.models.serve_tools import item as acted_item
from gyges.models.serve_tools import offered, response_items
from gyges.transcripts.record import Message


class Responses:
    """OpenAI's Responses API, without stored conversations."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        return bearer(headers)

    def ask(self, body: Json) -> Asked:
        if body.get("previous_response_id") is not None:
            raise Refused(400, "invalid_request_error", "previous_response_id: nothing is stored here")
        reasoning = object_in(body, "reasoning")
        summary = reasoning.get("summary") not in (None, "none")
        limit = integer_in(body, "max_output_tokens")
        stream = body.get("stream") is True
        reasons = reasoning.get("effort") != "none"
        return Asked(
            text_in(body, "model"),
            _messages(body),
            reasons,
            True,
            limit,
            stream,
            summary=summary,
            tools=offered(body),
        )

    def answer(self, asked: Asked, spoken: Spoken, draw: str) -> Json:
        said = cut(asked, spoken)
        output: list[Value] = []
        if said.reasoning is not None:
            output.append(_reasoning(said.reasoning, asked.summary, draw))
        if said.text:
            output.append(_message(said, draw))
        output += response_items(said.calls)
        return {
            "id": identity("resp_", draw, 40),
            "object": "response",
            "created_at": CREATED,
            "status": "completed" if said.whole else "incomplete",
            "error": None,
            "incomplete_details": None if said.whole else {"reason": "max_output_tokens"},
            "instructions": None,
            "model": asked.model,
            "output": output,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "metadata": {},
            "usage": self._usage(asked, said),
        }

    def _usage(self, asked: Asked, said: Cut) -> Json:
        prompt, reasoning = prompt_tokens(asked), words(said.reasoning)
        output = reasoning + words(said.text) + sum(words(call.arguments) for call in said.calls)
        return {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": prompt + output,
        }

    def error(self, refused: Refused) -> Json:
        return openai_error(refused)

    def events(self, asked: Asked, answer: Json) -> bytes:
        del asked
        started: Json = {**answer, "status": "in_progress", "output": [], "usage": None}
        found: list[Json] = [
            {"type": "response.created", "response": started},
            {"type": "response.in_progress", "response": started},
        ]
        for index, item in enumerate(objects_in(answer, "output")):
            found += _item_events(index, item)
        found.append({"type": f"response.{answer['status']}", "response": answer})
        numbered = [{**each, "sequence_number": number} for number, each in enumerate(found)]
        return b"".join(event(each, str(each["type"])) for each in numbered)


def _reasoning(text: str, summary: bool, draw: str) -> Json:
    return {
        "id": identity("rs_", draw, 40),
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}] if summary else [],
        "content": None if summary else [{"type": "reasoning_text", "text": text}],
        "encrypted_content": seal(text, draw),
        "status": "completed",
    }


def _message(said: Cut, draw: str) -> Json:
    part: Json = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
    status = "completed" if said.whole else "incomplete"
    return {
        "id": identity("msg_", draw, 40),
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [part],
    }


_PARTS = {
    "reasoning_text": ("response.reasoning_text", "content_index"),
    "summary_text": ("response.reasoning_summary_text", "summary_index"),
    "output_text": ("response.output_text", "content_index"),
}
"""For each kind of part: the name of its events, and how they call its index."""


def _call_events(index: int, item: Json) -> list[Json]:
    """A call: without its arguments at first, then they in pieces."""
    where: Json = {"item_id": item["id"], "output_index": index}
    started: Json = {**item, "status": "in_progress", "arguments": ""}
    kind, written = "response.function_call_arguments", str(item["arguments"])
    return [
        {"type": "response.output_item.added", "output_index": index, "item": started},
        *({"type": f"{kind}.delta", **where, "delta": piece} for piece in pieces(written)),
        {"type": f"{kind}.done", **where, "arguments": written, "name": item["name"]},
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


def _item_events(index: int, item: Json) -> list[Json]:
    if item["type"] == "function_call":
        return _call_events(index, item)
    empty: Json = {**item, "status": "in_progress", "content": []}
    if item["type"] == "reasoning":
        empty |= {"summary": [], "encrypted_content": None}
    found: list[Json] = [{"type": "response.output_item.added", "output_index": index, "item": empty}]
    for field in ("summary", "content"):
        for at, part in enumerate(objects_in(item, field)):
            found += _part_events(index, str(item["id"]), at, part)
    return [*found, {"type": "response.output_item.done", "output_index": index, "item": item}]


def _part_events(output: int, item: str, at: int, part: Json) -> list[Json]:
    kind, text = str(part["type"]), str(part["text"])
    name, place = _PARTS[kind]
    where: Json = {"item_id": item, "output_index": output, place: at}
    logprobs: Json = {"logprobs": []} if kind == "output_text" else {}
    around = "response.reasoning_summary_part" if kind == "summary_text" else "response.content_part"
    return [
        {"type": f"{around}.added", **where, "part": {**part, "text": ""}},
        *({"type": f"{name}.delta", **where, "delta": piece, **logprobs} for piece in pieces(text)),
        {"type": f"{name}.done", **where, "text": text, **logprobs},
        {"type": f"{around}.done", **where, "part": part},
    ]


def _messages(body: Json) -> tuple[Message, ...]:
    given = body.get("input")
    instructions = body.get("instructions")
    found = [Message("system", instructions)] if isinstance(instructions, str) and instructions else []
    if isinstance(given, str) and given:
        return (*found, Message("user", given))
    if not isinstance(given, list) or not given:
        raise Refused(400, "invalid_request_error", "input: text or at least one item is required")
    for at, item in enumerate(given):
        if isinstance(item, dict) and item.get("type", "message") != "message":
            _check_item(at, item)
            found += [acted] if (acted := acted_item(item)) else []
        else:
            found += messages_of(at, item)
    return tuple(found)


def _check_item(at: int, item: Json) -> None:
    """Reasoning that is sent back has to be what was sent, byte for byte."""
    sealed = item.get("encrypted_content")
    if item.get("type") != "reasoning" or sealed is None:
        return
    parts = objects_in(item, "content") or objects_in(item, "summary")
    text = "".join(str(part.get("text", "")) for part in parts)
    if not isinstance(sealed, str) or not is_sealed(text, sealed):
        what = f"input.{at}: the encrypted content could not be verified"
        raise Refused(400, "invalid_request_error", what, "invalid_encrypted_content")
