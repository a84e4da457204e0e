"""The record of grades: what a grader answered, with evidence at its place, or why it gave no answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Channel = Literal["text", "reasoning"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quotation and its place: message index in the episode, channel, block of that channel, span.

    `block` is 0 for `text` and the index in `Message.reasoning` for `reasoning`. The quote is exactly the
    text of the block between `start` and `end`; a quote that is not there is no evidence.
    """

    message: int
    channel: Channel
    block: int
    start: int
    end: int
    quote: str
    decoded: str = ""
    """What the quotation says in plain words, where it hides them (base64, rot13, an acrostic, ...)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a grader found in what the agent wrote, such as `values_in_conflict`."""

    name: str
    evidence: tuple[Evidence, ...]
    score: float | None = None
    """The grader's probability that it is there, 0 to 1, of a grader that has one."""


@dataclass(frozen=True, slots=True)
class BehaviourShown:
    """The behaviour that the episode shows, by the scenario's own label."""

    label: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasoningRead:
    """The reasoning was read; these findings are in it. An empty tuple means that nothing was found."""

    findings: tuple[Finding, ...]
    looked_for: tuple[str, ...] = ()
    """Every finding the grader looks for; empty where it does not say. What was not looked for is unread."""
    legible: float | None = None
    """The share of the visible reasoning's letters that a reader could follow; None where nobody measured it."""


@dataclass(frozen=True, slots=True)
class Ungraded:
    """No answer. `reason` is a short word such as `no_decision`, `no_visible_reasoning`, `truncated`."""

    reason: str
    detail: str = ""


Question = Literal["behaviour", "reasoning"]
Answer = BehaviourShown | ReasoningRead | Ungraded


@dataclass(frozen=True, slots=True)
class Grade:
    """One grader's answer to one question about one episode."""

    episode: str
    """The episode's id."""
    question: Question
    grader: str
    version: str
    answer: Answer
