"""What a grader is, and the blinded view that it gets: it knows neither the context nor the agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from gyges.models.provider import Form, Reply, Tool
from gyges.scenarios.plan import Behaviour, Text
from gyges.scenarios.world import Change
from gyges.transcripts.grades import Answer, Question
from gyges.transcripts.judged import Judged
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


class Ask(Protocol):
    """Asks a model once more; an answer that was committed before is not asked for again. Raises CallFailed."""

    async def __call__(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), form: Form | None = None, /
    ) -> Reply: ...


class Bench(Protocol):
    """Whom a grader may ask about one episode."""

    @property
    def judges(self) -> Sequence[str]: ...

    @property
    def again(self) -> bool:
        """Whether the episode is one of those that are judged twice more, for the flip rate."""

    def ask(self, judge: str, name: str) -> tuple[Ask, str]:
        """A way to ask a judge, and the name of its calls in the ledger. `name` is this vote's, and no other's."""

    def nonce(self, calls: str, number: int) -> str:
        """128 bits as hexadecimal digits that nobody could know before; the same for the same call."""


Judging = Callable[[Bench], Awaitable[tuple[Answer, Judged]]]
"""What remains to be done by a grader that has to ask somebody."""


class Grader(Protocol):
    """One question, answered by one version of one method. `version` covers its rules and its code."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def question(self) -> Question: ...

    def grade(self, view: View, behaviour: Behaviour | None, /) -> Answer | Judging:
        """The answer, or what has to be asked for it.

        `behaviour` is None where the scenario says nothing of it (imported transcripts).
        """


@runtime_checkable
class Scoring(Protocol):
    """A grader that has probabilities of what it finds, so that it can be ranked and calibrated in full."""

    def scores(self, view: View, /) -> Mapping[str, float]:
        """By finding the probability that it is there, 0 to 1, also where it is not found.

        Findings without one are left out; empty where nothing could be read.
        """


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
    return replace(message, text=masked, signal=(), replay=None, changes=tuple(map(_masked, message.changes)))


def _masked(change: Change) -> Change:
    before, after = (Text(one.without_signal(MASK)) if one else None for one in (change.before, change.after))
    return Change(change.place, before, after)
