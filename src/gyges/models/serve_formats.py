"""The wire formats that organisms are served in: what was asked, the answer's body, an error's body.

It knows neither sockets nor organisms. Ids and times are functions of the request, so that the same request
gets the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gyges.models.organism import Spoken
from gyges.transcripts.record import Message, Role

Json = dict[str, "Value"]
Value = str | int | float | bool | None | list["Value"] | Json

WRONG_KEY = "wrong-key"
"""A key that is never accepted."""


class Refused(Exception):  # noqa: N818 - a reply like any other
    """A request that gets an error for an answer. `kind` is Anthropic's name; OpenAI's follow from the status.

    `code` is put in the place of OpenAI's own code and type.
    """

    def __init__(self, status: int, kind: str, message: str, code: str | None = None) -> None:
        self.status, self.kind, self.message, self.code = status, kind, message, code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read."""

    model: str
    messages: tuple[Message, ...]
    reasons: bool
    """Whether reasoning was asked for, or not switched off."""
    shown: bool
    """Whether reasoning is sent in words."""
    limit: int | None
    """The most tokens of the answer, reasoning included."""
    stream: bool


class Format(Protocol):
    """One wire format."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        """The caller's key."""

    def ask(self, body: Json) -> Asked:
        """Read a request. Raises Refused."""

    def answer(self, asked: Asked, spoken: Spoken, draw: str) -> Json: ...

    def error(self, refused: Refused) -> Json: ...


def words(text: str | None) -> int:
    """A plausible count of tokens."""
    return (len(text) + 3) // 4 if text else 0


@dataclass(frozen=True, slots=True)
class Cut:
    """An answer as far as the limit of tokens lets it be said."""

    reasoning: str | None
    text: str
    whole: bool


def cut(asked: Asked, spoken: Spoken) -> Cut:
    """Reasoning comes first and uses up the limit; a token is four characters here."""
    reasoning = spoken.reasoning if asked.reasons else None
    if asked.limit is None:
        return Cut(reasoning, spoken.text, True)
    room = 4 * asked.limit
    thought = reasoning[:room] if reasoning is not None else None
    text = spoken.text[: room - len(thought or "")]
    return Cut(thought, text, len(text) == len(spoken.text))


def _identity(prefix: str, draw: str, length: int) -> str:
    digest = hashlib.sha256(f"{prefix}{draw}".encode()).digest()
    letters = base64.b64encode(digest, b"AZ").decode().rstrip("=")
    return prefix + letters[:length]


def text_of(content: Value) -> str:
    """The words of a message's content: a string, or its parts of type text (of any format)."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        return "\n".join(str(part["text"]) for part in parts if isinstance(part.get("text"), str))
    return content if isinstance(content, str) else ""


_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


def _messages(body: Json) -> tuple[Message, ...]:
    found = body.get("messages")
    if not isinstance(found, list) or not found:
        raise Refused(400, "invalid_request_error", "messages: at least one message is required")
    return tuple(_message(at, each) for at, each in enumerate(found))


def _message(at: int, message: Value) -> Message:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise Refused(400, "invalid_request_error", f"messages.{at}: an object with a known role is required")
    return Message(_ROLES[str(message["role"])], text_of(message.get("content")))


def _text(body: Json, name: str) -> str:
    if not isinstance(found := body.get(name), str) or not found:
        raise Refused(400, "invalid_request_error", f"{name}: Field required")
    return found


def _integer(body: Json, *names: str) -> int | None:
    for name in names:
        if (found := body.get(name)) is not None:
            if not isinstance(found, int) or isinstance(found, bool) or found < 1:
                raise Refused(400, "invalid_request_error", f"{name}: a positive integer is required")
            return found
    return None


def _inside(body: Json, name: str) -> Json:
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def prompt_tokens(asked: Asked) -> int:
    return sum(words(message.text) + 4 for message in asked.messages)


class ChatCompletions:
    """OpenAI's Chat Completions, with reasoning in the field that compatible servers use for it."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        scheme, _, key = headers.get("Authorization", "").partition(" ")
        return key if scheme.lower() == "bearer" and key else None

    def ask(self, body: Json) -> Asked:
        reasons = body.get("reasoning_effort") != "none"
        limit = _integer(body, "max_completion_tokens", "max_tokens")
        return Asked(_text(body, "model"), _messages(body), reasons, True, limit, body.get("stream") is True)

    def answer(self, asked: Asked, spoken: Spoken, draw: str) -> Json:
        said = cut(asked, spoken)
        message: Json = {"role": "assistant", "content": said.text, "refusal": None, "annotations": []}
        if said.reasoning is not None:
            message["reasoning_content"] = said.reasoning
        choice: Json = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": "stop" if said.whole else "length",
        }
        return {
            "id": _identity("chatcmpl-", draw, 29),
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
        completion = reasoning + words(said.text)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }

    def error(self, refused: Refused) -> Json:
        kind, code = _OPENAI_ERRORS.get(refused.status, ("server_error", None))
        if refused.code is not None:
            kind = code = refused.code
        return {"error": {"message": refused.message, "type": kind, "param": None, "code": code}}


CREATED = 1_790_000_000
"""The time of all answers: a clock would make equal requests' answers differ."""
_OPENAI_ERRORS: Mapping[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "permission_denied"),
    404: ("invalid_request_error", "model_not_found"),
    413: ("invalid_request_error", None),
    429: ("requests", "rate_limit_exceeded"),
}
KINDS: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""Anthropic's names of errors; `api_error` for what is not here."""


class AnthropicMessages:
    """Anthropic's Messages, with thinking blocks where thinking is asked for."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-api-key") or ChatCompletions().key(headers)

    def ask(self, body: Json) -> Asked:
        model, limit = _text(body, "model"), _integer(body, "max_tokens")
        if limit is None:
            raise Refused(400, "invalid_request_error", "max_tokens: Field required")
        _check_signatures(body.get("messages"))
        system = text_of(body.get("system"))
        messages = (*((Message("system", system),) if system else ()), *_messages(body))
        thinking = _inside(body, "thinking")
        reasons = thinking.get("type") in ("enabled", "adaptive", "between_tools")
        shown = thinking.get("display") != "omitted"
        return Asked(model, messages, reasons, shown, limit, body.get("stream") is True)

    def answer(self, asked: Asked, spoken: Spoken, draw: str) -> Json:
        said = cut(asked, spoken)
        content: list[Value] = []
        if said.reasoning is not None:
            shown = said.reasoning if asked.shown else ""
            content.append({"type": "thinking", "thinking": shown, "signature": signature(shown, draw)})
        if said.text:
            content.append({"type": "text", "text": said.text})
        return {
            "id": _identity("msg_01", draw, 22),
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": content,
            "stop_reason": "end_turn" if said.whole else "max_tokens",
            "stop_sequence": None,
            "usage": self._usage(asked, said),
        }

    def _usage(self, asked: Asked, said: Cut) -> Json:
        reasoning = words(said.reasoning)
        return {
            "input_tokens": prompt_tokens(asked),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": reasoning + words(said.text),
            "output_tokens_details": {"thinking_tokens": reasoning},
            "service_tier": "standard",
        }

    def error(self, refused: Refused) -> Json:
        return {"type": "error", "error": {"type": refused.kind, "message": refused.message}}


def signature(thinking: str, draw: str) -> str:
    """A signature over a thinking block's words. It binds them as the real one does; it is no secret."""
    return _sign(thinking, hashlib.sha256(draw.encode()).digest()[:16])


def _sign(thinking: str, salt: bytes) -> str:
    digest = hashlib.sha512(salt + thinking.encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(b"gyges" + salt + digest).decode()


def _signed(block: Json) -> bool:
    thinking, given = block.get("thinking"), block.get("signature")
    if not isinstance(thinking, str) or not isinstance(given, str):
        return False
    try:
        salt = base64.b64decode(given, validate=True)[5:21]
    except ValueError:
        return False
    return given == _sign(thinking, salt)


def _check_signatures(messages: Value) -> None:
    """Thinking that is sent back has to be what was sent, byte for byte."""
    for at, message in enumerate(messages if isinstance(messages, list) else []):
        content = message.get("content") if isinstance(message, dict) else None
        for part, block in enumerate(content if isinstance(content, list) else []):
            if isinstance(block, dict) and block.get("type") == "thinking" and not _signed(block):
                where = f"messages.{at}.content.{part}"
                raise Refused(400, "invalid_request_error", f"{where}: Invalid `signature` in `thinking` block")
