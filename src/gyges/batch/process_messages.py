"""What a run and its workers tell each other: plain values, so that workers may be anywhere. It sends nothing.

A worker plays episodes. What there is one of for the whole run (the store, the pace, the budget) stays with the
run, and a worker asks for it; `number` tells which question an answer belongs to, `agent` is the agent's place in
the list of agents.
"""

from __future__ import annotations

from dataclasses import dataclass

from gyges.batch.retry import Patience
from gyges.models.provider import Trouble, Usage
from gyges.models.rate_limits import Room
from gyges.scenarios.plan import Plan
from gyges.transcripts.record import Call, Episode, Intent

# From the run


@dataclass(frozen=True, slots=True)
class Start:
    """The first message: how to play. What is authored a worker reads for itself, from the same study."""

    profiles: tuple[str, ...]
    """As JSON, with the addresses to call."""
    scenarios: tuple[str, ...]
    """Those that organisms know, where they answer inside the worker."""
    seed: int
    patience: Patience
    worlds: bool
    """Whether any plan has a world."""


@dataclass(frozen=True, slots=True)
class Play:
    """An episode to play. `answered` are the calls that were answered before, by ordinal."""

    number: int
    agent: int
    plan: Plan
    sample: int
    answered: dict[int, Call]


@dataclass(frozen=True, slots=True)
class Granted:
    """A place was free, or a row is committed."""

    number: int


# From a worker


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has read what it needs."""


@dataclass(frozen=True, slots=True)
class Enter:
    """A call wants to be sent, of about so many tokens."""

    number: int
    agent: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Leave:
    """A call is over: its place is free."""

    agent: int


@dataclass(frozen=True, slots=True)
class Throttled:
    """The provider had too much."""

    agent: int
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Promised:
    """What an answer's headers say about further calls, to a call of so many tokens."""

    agent: int
    rooms: tuple[Room, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """An answer came, of so many tokens where that is known."""

    agent: int
    estimated: int
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What an answer used; None for an attempt that brought none."""

    agent: int
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Put:
    """A row to commit."""

    number: int
    row: Intent | Call


@dataclass(frozen=True, slots=True)
class Played:
    """The episode asked for with this number is over and committed."""

    number: int
    episode: Episode


@dataclass(frozen=True, slots=True)
class Broke:
    """The episode asked for with this number met what concerns the whole run."""

    number: int
    trouble: Trouble
    detail: str
    to_do: str
    """What the user can do; "" where that follows from the trouble."""


Message = (
    Start | Play | Granted | Ready | Enter | Leave | Throttled | Promised | Tokens | Spent | Put | Played | Broke
)
