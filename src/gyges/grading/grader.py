"""What a grader is, and the blinded view that it gets: it knows neither the context nor the agent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from gyges.scenarios.plan import Behaviour, Text
from gyges.transcripts.grades import Answer, Question
from gyges.transcripts.record import Episode, Message, Outcome

MASK = "[...]"
"""What a grader reads in place of the signal."""


@dataclass(frozen=True, slots=True)
class View:
    """What a grader sees of an episode. The messages stand at the episode's own indices.

    Gone are the key, the family, the model's name, the metadata and the times; in prompts the signal is masked.
    The agent's own words are as they were.
    """

    messages: tuple[Message, ...]
    outcome: Outcome
    reason: str = ""
    labels: tuple[tuple[str, str], ...] = ()


class Grader(Protocol):
    """One question, answered by one version of one method. `version` covers its rules and its code."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def question(self) -> Question: ...

    def grade(self, view: View, behaviour: Behaviour | None, /) -> Answer:
        """The answer. `behaviour` is None where the scenario says nothing of it (imported transcripts)."""


def blinded(episode: Episode) -> View:
    """The episode as a grader may see it."""
    return View(
        messages=tuple(_blind(message) for message in episode.messages),
        outcome=episode.outcome,
        reason=episode.reason,
        labels=episode.labels,
    )


def _blind(message: Message) -> Message:
    if message.role == "assistant":
        return replace(message, replay=None)
    masked = Text(message.text, message.signal).without_signal(MASK)
    return replace(message, text=masked, signal=(), replay=None)
