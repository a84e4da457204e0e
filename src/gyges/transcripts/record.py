"""The record of an episode: messages, reasoning with its visibility, outcome, calls. Values only.

It knows neither how a provider spells these things nor where they are stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from gyges.scenarios.plan import Span
from gyges.scenarios.world import Change

Role = Literal["system", "user", "assistant", "tool"]


class Outcome(StrEnum):
    """How an episode ended. A refusal by the model is behaviour; a filter is missing data."""

    COMPLETED = "completed"
    REFUSED_BY_MODEL = "refused_by_model"
    FILTERED_BY_PROVIDER = "filtered_by_provider"
    TRUNCATED = "truncated"
    CONTEXT_OVERFLOW = "context_overflow"
    STEP_LIMIT = "step_limit"
    TIMED_OUT = "timed_out"
    ERRORED = "errored"
    PENDING = "pending"


class Visibility(StrEnum):
    """What of the chain of thought can be seen."""

    RAW = "raw"
    """The words themselves, in a channel of their own."""
    SCRATCHPAD = "scratchpad"
    """Words the prompt asked for, in the answer."""
    SUMMARY = "summary"
    """The provider's summary of it."""
    OMITTED = "omitted"
    """There was reasoning; the provider sent none of it."""
    REDACTED = "redacted"
    """There was reasoning; the provider sent it encrypted."""
    ABSENT = "absent"
    """No sign of any reasoning."""


READABLE = frozenset({Visibility.RAW, Visibility.SCRATCHPAD, Visibility.SUMMARY})
"""The visibilities that come with words."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """One piece of reasoning. `text` is None when no words were sent, which "" is not."""

    visibility: Visibility
    source: str
    """Where it stood: `anthropic.thinking`, `field:reasoning_content`, `tag:<think>`, ..."""
    text: str | None = None
    tokens: int | None = None
    """The provider's count of reasoning tokens, where it gives one."""
    closed: bool = True
    """False when its closing tag is missing: the words after it may be the answer's."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called. `arguments` are the words it wrote: JSON, or what it took for it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """Which call a tool's message answers, and whether it tells of an error."""

    call: str
    """The id of the call."""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `text` is what was said, without the reasoning.

    `signal` are spans of `text` (never the assistant's). `replay` is the provider's own JSON of an assistant
    message, sent back unchanged where the provider asks for it; never shown, never graded. `calls` are an
    assistant's, `result` is a tool's. `changes` are those of the simulated world that a tool's call made; in the
    first message of an episode they are the world as it was at the start.
    """

    role: Role
    text: str
    reasoning: tuple[Reasoning, ...] = ()
    signal: tuple[Span, ...] = ()
    replay: str | None = None
    calls: tuple[ToolCall, ...] = ()
    result: ToolResult | None = None
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    """Of an assistant's message: what the provider said beside it, such as reasoning of earlier turns that it left
    out of the request, or why its filter stepped in."""


@dataclass(frozen=True, slots=True)
class EpisodeKey:
    """Which episode: one agent playing one plan once. Within a run it is unique."""

    agent: str
    scenario: str
    variant: str
    context: str
    sample: int

    def id(self) -> str:
        """16 hexadecimal digits that say nothing about the context to one who reads them."""
        agent, scenario, variant, context, sample = (
            self.agent, self.scenario, self.variant, self.context, str(self.sample)
        )  # fmt: skip
        # One expression: large runs ask for hundreds of thousands of ids.
        message = (
            f"{len(agent)}:{agent}{len(scenario)}:{scenario}{len(variant)}:{variant}"
            f"{len(context)}:{context}{len(sample)}:{sample}"
        )
        return hashlib.sha256(message.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Fork:
    """Where an episode leaves another one, and what is done there. The other one is never changed.

    The fork has that one's agent, scenario, variant and context in its key, and a `sample` of its own, the same in
    all contexts: forks of a pair that are made in the same way are a pair again.
    """

    run: str
    """The run forked from."""
    episode: str
    """The id of the episode forked from."""
    sample: int
    """That episode's own sample."""
    turn: int
    """How many of that episode's answers stand before the fork; an intervention takes the place of the next."""
    message: int
    """The first message of this episode that is the fork's own; those before it are that episode's."""
    kind: Literal["probe", "intervention"]
    name: str
    """Of the probe, or of what is done to the reasoning."""
    repeat: int = 0
    """Which repetition of the same fork, from 0."""
    reasoning: bool = True
    """Of a probe: whether it was asked with the agent's reasoning, or with it switched off."""
    marker: str = ""
    """Of a probe: what the line of its answer begins with."""
    choices: tuple[tuple[str, str], ...] = ()
    """Of a probe: the labels and the words of its choices, in the order in which they were shown."""
    right: str = ""
    """Of a probe: the label of the right answer in this context; "" where none is authored."""
    fraction: float | None = None
    """Of an intervention: up to where the reasoning is kept, or where something is put in, as a share of it."""
    impossible: str = ""
    """Why it could not be done; then nothing was asked of the model. "" where it could."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A transcript: the key, how it ended and everything said. Times are seconds since 1970 (UTC)."""

    key: EpisodeKey
    family: str
    outcome: Outcome
    reason: str
    """Why, for every outcome but `completed`; "" for that."""
    messages: tuple[Message, ...]
    started: float
    ended: float
    model: str = ""
    """The model's name as the provider gave it."""
    labels: tuple[tuple[str, str], ...] = ()
    """Labels that came with an imported transcript."""
    metadata: tuple[tuple[str, str], ...] = ()
    fork: Fork | None = None
    """Of an episode that is a fork of another one."""


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt at one model call: the bytes that were sent and the bytes that came back."""

    episode: str
    """The episode's id."""
    ordinal: int
    """Which call of the episode, from 0."""
    attempt: int
    """From 0."""
    request: bytes
    response: bytes | None
    """None when no answer came."""
    status: int | None
    error: str
    """What went wrong, "" if nothing did."""
    sent: float
    received: float | None
    headers: tuple[tuple[str, str], ...] = ()
    """Of the response; secrets are never in it."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An attempt that is about to be sent. Stored first, so that one that never came back is known."""

    episode: str
    ordinal: int
    attempt: int
    sent: float
    """The same number as in the attempt's `Call`, which tells it from the same attempt of another process."""
