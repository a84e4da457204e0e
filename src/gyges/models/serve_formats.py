"""The wire formats that organisms are served in: what was asked, the answer's body, an error's body.

It knows neither sockets nor organisms. Ids and times are functions of the request, so that the same request
gets the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gyges.models.organism import Spoken
from gyges.models.serve_json import Json, Value, text_of
from gyges.models.serve_tools import said
from gyges.transcripts.record import Message, Role, ToolCall

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
    usage: bool = True
    """Whether a stream ends with the usage."""
    summary: bool = False
    """Whether reasoning is sent as a summary."""
    begun: str | None = None
    """The beginning of the answer, which the model is to go on from."""
    tools: tuple[str, ...] = ()
    """The names of the tools that are offered."""


class Format(Protocol):
    """One wire format."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        """The caller's key."""

    def ask(self, body: Json) -> Asked:
        """Read a request. Raises Refused."""

    def answer(self, asked: Asked, spoken: Spoken, draw: str) -> Json: ...

    def events(self, asked: Asked, answer: Json) -> bytes:
        """The same answer as server-sent events."""

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
    calls: tuple[ToolCall, ...] = ()
    """A call is whole or it is none: an answer that is cut has none."""


def cut(asked: Asked, spoken: Spoken) -> Cut:
    """Reasoning comes first and uses up the limit; a token is four characters here."""
    reasoning = spoken.reasoning if asked.reasons else None
    if asked.limit is None:
        return Cut(reasoning, spoken.text, True, spoken.calls)
    room = 4 * asked.limit
    thought = reasoning[:room] if reasoning is not None else None
    text = spoken.text[: room - len(thought or "")]
    whole = len(text) == len(spoken.text) and len(thought or "") == len(reasoning or "")
    return Cut(thought, text, whole, spoken.calls if whole else ())


def identity(prefix: str, draw: str, length: int) -> str:
    digest = hashlib.sha256(f"{prefix}{draw}".encode()).digest()
    letters = base64.b64encode(digest, b"AZ").decode().rstrip("=")
    return prefix + letters[:length]


_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


def messages_in(body: Json) -> tuple[Message, ...]:
    found = body.get("messages")
    if not isinstance(found, list) or not found:
        raise Refused(400, "invalid_request_error", "messages: at least one message is required")
    return tuple(message for at, each in enumerate(found) for message in messages_of(at, each))


def messages_of(at: int, message: Value) -> list[Message]:
    """What one message says: where results of tools are in it, each is a message of its own."""
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise Refused(400, "invalid_request_error", f"messages.{at}: an object with a known role is required")
    return said(_ROLES[str(message["role"])], text_of(message.get("content")), message)


def text_in(body: Json, name: str) -> str:
    if not isinstance(found := body.get(name), str) or not found:
        raise Refused(400, "invalid_request_error", f"{name}: Field required")
    return found


def integer_in(body: Json, *names: str) -> int | None:
    for name in names:
        if (found := body.get(name)) is not None:
            if not isinstance(found, int) or isinstance(found, bool) or found < 1:
                raise Refused(400, "invalid_request_error", f"{name}: a positive integer is required")
            return found
    return None


def prompt_tokens(asked: Asked) -> int:
    return sum(words(message.text) + 4 for message in asked.messages)


CREATED = 1_790_000_000
"""The time of all answers: a clock would make equal requests' answers differ."""
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


def seal(text: str, draw: str) -> str:
    """A signature over reasoning. It binds the words, as the real one does; it is no secret."""
    return _sealed(text, hashlib.sha256(draw.encode()).digest()[:16])


def _sealed(text: str, salt: bytes) -> str:
    digest = hashlib.sha512(salt + text.encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(b"gyges" + salt + digest).decode()


def is_sealed(text: str, given: str) -> bool:
    """Whether `given` is a seal over these words."""
    try:
        salt = base64.b64decode(given, validate=True)[5:21]
    except ValueError:
        return False
    return given == _sealed(text, salt)


_PIECE = re.compile(r"\s*\S+(?:\s+\S+){0,7}\s*$|\s*\S+(?:\s+\S+){0,7}(?=\s)")


def pieces(text: str) -> list[str]:
    """A text as the pieces of a stream: some words each, nothing lost."""
    found = _PIECE.findall(text)
    return found if "".join(found) == text else [text]


def event(data: Json, name: str = "") -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode("utf-8", "surrogatepass")
