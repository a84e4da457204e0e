"""The contract of a provider: build a request, send it, read the answer's bytes.

Three separate steps, so that what was sent and what came back can be committed in between, and so that an
answer from the store is read by the same code as one from the wire. It knows no episode and no retry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from gyges.transcripts.record import Message, Outcome


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to ask. None leaves a setting to the provider."""

    max_tokens: int = 4096
    temperature: float | None = None
    reasoning_effort: str | None = None
    reasoning_tokens: int | None = None
    """A budget for reasoning, for providers that take one."""
    seed: int | None = None
    """Few providers honour it."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as a model is told of it."""

    name: str
    description: str
    parameters: Mapping[str, object]
    """JSON Schema of an object: the arguments."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form an answer must have: the arguments of this tool, as JSON, held to by the provider.

    `schema`: the answer's text is that JSON (structured output). `tool`: the answer is one call of the tool, which
    the model can't but make. Schemas keep to what all providers take in strict mode: every property required, no
    others, enumerations in the place of ranges.
    """

    tool: Tool
    way: Literal["schema", "tool"] = "schema"


@dataclass(frozen=True, slots=True)
class Begun:
    """The beginning of an answer that the model is to go on from: all of its reasoning, and nothing after it."""

    reasoning: str
    tag: str = ""
    """Of the scratchpad that it stands in; "" for reasoning in a channel of its own."""

    def text(self, tag: str = "") -> str:
        """The reasoning in its tag, or else in this one; no space at its end, which some providers refuse."""
        name = self.tag or tag
        return f"<{name}>\n{self.reasoning}\n</{name}>"


Continuation = Literal["no", "text", "final", "prefix"]
"""How a server goes on from the beginning of an answer: not at all; where the last message is the assistant's; as
vLLM, which has to be told; as DeepSeek, with the reasoning in a field of its own."""


class CannotContinue(Exception):  # noqa: N818 - said of a provider, not an error
    """Why this provider can't go on from a given reasoning: never a reason to try something like it instead."""


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it came: status, headers and bytes, before anything is parsed."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the provider reported them; None where it did not."""

    input: int | None = None
    output: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read. `outcome` is `completed` unless the model refused, the provider filtered or it was cut."""

    message: Message
    outcome: Outcome
    reason: str
    model: str
    fingerprint: str
    usage: Usage = field(default_factory=Usage)
    stop: str = ""
    """The stop reason, as the provider spelt it."""


class Trouble(StrEnum):
    """What can go wrong with a call, by what is to be done about it."""

    TRANSIENT = "transient"
    """Overload, 408, 409, 425, 429, 5xx, a broken connection: try again."""
    GARBLED = "garbled"
    """A body that is no answer: try again, keep the bytes."""
    AUTHENTICATION = "authentication"
    """401, 403: stop the run."""
    QUOTA = "quota"
    """Spend limit, no credit: stop the run."""
    UNREACHABLE = "unreachable"
    """No such host, connection refused, TLS: wrong address or nobody there."""
    REJECTED = "rejected"
    """400, 404, 413, 422: the request itself; trying again won't help."""
    CONTEXT_OVERFLOW = "context_overflow"
    FILTERED = "filtered"
    """The provider's filter answered in place of the model, as an error."""


class CallFailed(Exception):  # noqa: N818 - not an error of the program's
    """A call gave no reply. Always caught by whoever makes calls; never reaches the user as such."""

    def __init__(
        self,
        trouble: Trouble,
        detail: str,
        received: Received | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.trouble = trouble
        self.detail = detail
        self.received = received
        self.retry_after = retry_after
        """Seconds the provider asked to wait."""
        super().__init__(f"{trouble}: {detail}")

    @property
    def stops_the_run(self) -> bool:
        """Whether every other call would fail in the same way."""
        return self.trouble in (Trouble.AUTHENTICATION, Trouble.QUOTA, Trouble.UNREACHABLE)


class Provider(Protocol):
    """One wire format at one address with one key."""

    name: str
    base_url: str
    """Where calls go; holds no secret."""

    def request(
        self,
        model: str,
        messages: Sequence[Message],
        sampling: Sampling,
        tools: Sequence[Tool] = (),
        form: Form | None = None,
        begun: Begun | None = None,
    ) -> bytes:
        """The body to send, as JSON bytes: what is stored is what is sent. With `form`, without other tools.

        With `begun` the model is to go on from there. Raises CannotContinue where it can't.
        """

    async def send(self, body: bytes, headers: Mapping[str, str]) -> Received:
        """Send the body once. Raises CallFailed when no answer came at all."""

    def read(self, received: Received) -> Reply:
        """Read an answer. Raises CallFailed for anything that is not one, also with status 200."""

    async def close(self) -> None: ...
