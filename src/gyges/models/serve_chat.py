"""OpenAI's Chat Completions, as organisms are served in it. It knows no socket."""

from __future__ import annotations

from collections.abc import Mapping

from gyges.models.organism import Spoken
from gyges.models.serve_formats import (
    CREATED,
    Asked,
    Cut,
    Refused,
    cut,
    event,
    identity,
    integer_in,
    messages_in,
    pieces,
    prompt_tokens,
    text_in,
    words,
)
from gyges.models.serve_json import Json, Value, object_in, objects_in, text_of
from gyges.models.serve_tools import chat_calls, offered


class ChatCompletions:
    """OpenAI's Chat Completions, with reasoning in the field that compatible servers use for it."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        return bearer(headers)

    def ask(self, body: Json) -> Asked:
        reasons = body.get("reasoning_effort") != "none"
        limit = integer_in(body, "max_completion_tokens", "max_tokens")
        usage = object_in(body, "stream_options").get("include_usage") is True
        stream = body.get("stream") is True
        messages, begun = messages_in(body), _begun(body)
        said = messages if begun is None else messages[:-1]
        return Asked(
            text_in(body, "model"), said, reasons, True, limit, stream, usage, begun=begun, tools=offered(body)
        )

    def answer(self, asked: Asked, spoken: Spoken, draw: str) -> Json:
        said = cut(asked, spoken)
        message: Json = {"role": "assistant", "content": said.text, "refusal": None, "annotations": []}
        if said.reasoning is not None:
            message["reasoning_content"] = said.reasoning
        if said.calls:
            message |= {"content": said.text or None, "tool_calls": chat_calls(said.calls)}
        choice: Json = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": ("tool_calls" if said.calls else "stop") if said.whole else "length",
        }
        return {
            "id": identity("chatcmpl-", draw, 29),
            "object": "chat.completion",
            "created": CREATED,
            "model": asked.model,
            "choices": [choice],
            "usage": self._usage(asked, said),
            "service_tier": "default",
            "system_fingerprint": "fp_organism",
        }

    def _usage(self, asked: Asked, said: Cut) -> Json:
        prompt, reasoning = prompt_tokens(asked), words(said.reasoning)
        completion = reasoning + words(said.text) + sum(words(call.arguments) for call in said.calls)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }

    def error(self, refused: Refused) -> Json:
        return openai_error(refused)

    def events(self, asked: Asked, answer: Json) -> bytes:
        (choice,) = objects_in(answer, "choices")
        message = object_in(choice, "message")
        deltas: list[Json] = [{"role": "assistant", "content": ""}]
        for field in ("reasoning_content", "content"):
            deltas += [{field: piece} for piece in pieces(str(message.get(field) or ""))]
        deltas += [delta for at, call in enumerate(objects_in(message, "tool_calls")) for delta in _call(at, call)]
        chunks = [_chunk(answer, [_choice(delta, None)]) for delta in deltas]
        chunks.append(_chunk(answer, [_choice({}, choice["finish_reason"])]))
        if asked.usage:
            chunks.append(_chunk(answer, []) | {"usage": answer["usage"]})
        return b"".join(event(chunk) for chunk in chunks) + b"data: [DONE]\n\n"


def _begun(body: Json) -> str | None:
    """The beginning of the answer, as DeepSeek is told of it (`prefix`) or vLLM (`continue_final_message`)."""
    last = objects_in(body, "messages")[-1:]
    if not last or last[0].get("role") != "assistant":
        return None
    if last[0].get("prefix") is not True and body.get("continue_final_message") is not True:
        return None
    reasoning = last[0].get("reasoning_content")
    return reasoning if isinstance(reasoning, str) else text_of(last[0].get("content"))


def _call(at: int, call: Json) -> list[Json]:
    """A call in the pieces of a stream: its name first, then its arguments bit by bit."""
    function = object_in(call, "function")
    first: Json = {**call, "index": at, "function": {"name": function["name"], "arguments": ""}}
    rest: list[Json] = [
        {"index": at, "function": {"arguments": piece}} for piece in pieces(str(function["arguments"]))
    ]
    return [{"tool_calls": [each]} for each in (first, *rest)]


def _chunk(answer: Json, choices: list[Value]) -> Json:
    kept = {name: answer[name] for name in ("id", "created", "model", "service_tier", "system_fingerprint")}
    return {**kept, "object": "chat.completion.chunk", "choices": choices}


def _choice(delta: Json, finish: Value) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def bearer(headers: Mapping[str, str]) -> str | None:
    """The key of an `Authorization: Bearer` header."""
    scheme, _, key = headers.get("Authorization", "").partition(" ")
    return key if scheme.lower() == "bearer" and key else None


def openai_error(refused: Refused) -> Json:
    kind, code = _ERRORS.get(refused.status, ("server_error", None))
    if refused.code is not None:
        kind = code = refused.code
    return {"error": {"message": refused.message, "type": kind, "param": None, "code": code}}


_ERRORS: Mapping[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "permission_denied"),
    404: ("invalid_request_error", "model_not_found"),
    413: ("invalid_request_error", None),
    429: ("requests", "rate_limit_exceeded"),
}
