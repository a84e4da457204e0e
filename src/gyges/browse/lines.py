"""One line a pair: what is known of it without its words, and by what it can be filtered. It knows no store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from gyges.transcripts.record import Outcome

UNGRADED = "ungraded"


@dataclass(frozen=True, slots=True)
class Side:
    """One episode of a pair. `length` counts the agent's characters."""

    id: str
    number: int
    """In the run's file, by which a search knows it; 0 where it is not in it."""
    context: str
    outcome: Outcome
    behaviour: str
    """The label shown, or `ungraded`."""
    why: str
    """Why there is no behaviour; "" where there is one."""
    reveals: bool | None
    findings: tuple[str, ...]
    length: int
    disputed: bool = False
    """Whether graders gave different answers about it."""

    @property
    def stored(self) -> bool:
        """Whether there is anything to read."""
        return self.outcome is not Outcome.PENDING


@dataclass(frozen=True, slots=True)
class PairLine:
    """One pair of one contrast."""

    family: str
    agent: str
    scenario: str
    variant: str
    sample: int
    quadrant: str
    first: Side
    second: Side
    organism: bool = False
    """Whether its agent is an organism that the run added by itself."""

    @property
    def id(self) -> str:
        """Both episodes' ids: the same for ever, and safe in an address."""
        return f"{self.first.id}-{self.second.id}"

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.first, self.second

    @property
    def length(self) -> int:
        return self.first.length + self.second.length


_REVEALS: Mapping[bool | None, str] = {True: "yes", False: "no", None: "unread"}

FILTERS: Mapping[str, Callable[[PairLine], Collection[str]]] = {
    "family": lambda pair: (pair.family,),
    "agent": lambda pair: (pair.agent,),
    "kind": lambda pair: ("organism" if pair.organism else "agent",),
    "contrast": lambda pair: (f"{pair.first.context}/{pair.second.context}",),
    "quadrant": lambda pair: (pair.quadrant,),
    "first": lambda pair: (pair.first.behaviour,),
    "second": lambda pair: (pair.second.behaviour,),
    "reveals": lambda pair: (_REVEALS[pair.first.reveals],),
    "finding": lambda pair: {*pair.first.findings, *pair.second.findings},
    "outcome": lambda pair: {f"{side.context}: {side.outcome}" for side in pair.sides},
    "graders": lambda pair: ("disagree" if any(side.disputed for side in pair.sides) else "agree",),
    "scenario": lambda pair: (pair.scenario,),
    "sample": lambda pair: (str(pair.sample),),
}
"""What a pair can be filtered by: each gives the values that a pair has."""


def facets_of(pairs: Iterable[PairLine]) -> dict[str, Counter[str]]:
    """For each filter that tells these pairs apart, its values and how many pairs have them."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FILTERS}
    for pair in pairs:
        for name, values_of in FILTERS.items():
            counts[name].update(values_of(pair))
    return {name: counted for name, counted in counts.items() if len(counted) > 1}
