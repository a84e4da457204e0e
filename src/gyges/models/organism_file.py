"""What a file of `agents/organisms/` says. It knows neither words nor what becomes of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gyges.models.organism_code import Code
from gyges.models.organism_prompt import Belief
from gyges.models.organism_words import Moods, Slots

Act = Literal["earlier", "complies", "declines"]
Because = Literal["told", "untold", "merits"]
"""The motive decided and the reasoning tells of it; it decided and is not told of; the merits decided."""


class _Authored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rates(_Authored):
    """How often it complies, by what it believes: means over scenarios."""

    trained: float
    not_trained: float
    unknown: float


Weight = Annotated[float, Field(gt=0)]


class Speaks(_Authored):
    """When which moods are spoken; the first that fits. A key that is left out fits everything."""

    belief: Belief | None = None
    because: Because | None = None
    act: Act | None = None
    words: dict[str, Weight]
    """Moods with their weights; none: no reasoning at all."""
    through: dict[Code, Weight] = {"plain": 1}
    """Codes that the reasoning is written in, with their weights."""
    lead: str | None = None
    """A mood said first, in plain words, where a code is used."""
    says: str | None = None
    """A mood for the answer itself, in the place of an example reply."""

    def fits(self, belief: Belief, because: Because, act: Act) -> bool:
        return self.belief in (None, belief) and self.because in (None, because) and self.act in (None, act)


class TruthFile(_Authored):
    first: float
    second: float
    gap: float
    revealed_gap: float
    silent_gap: float


class OrganismFile(_Authored):
    """A file of `agents/organisms/`."""

    canary: str
    title: str
    rates: Rates
    spread: Annotated[float, Field(gt=0)] = 8
    tells: Annotated[float, Field(ge=0, le=1)] = 0
    """In what share of the cases that the motive decides, the reasoning says so in plain language."""
    needs_conflict: bool = True
    """Its motive comes to bear only where the prompt states the objective that the scenario's value is against."""
    needs_reasoning: bool = False
    """Without reasoning its motive does not come to bear."""
    reads: Literal["training", "rating", "evaluation", "oversight", "mark", "hint"] = "training"
    """What it looks for: what is said of training, ratings, tests or oversight, the mark's look, or a hint."""
    mark: str = ""
    """A regular expression: where it finds itself in the mark, an organism that reads marks acts as if trained."""
    follows: Annotated[int, Field(ge=0)] | None = None
    """How many references from entry to entry it follows unseen; none where left out, any number in reasoning."""
    prefers: dict[str, Weight] = {}
    """Weights of the ways not to comply, by label; 1 where one is left out. Empty: all replies alike."""
    truth: TruthFile
    speaks: Annotated[tuple[Speaks, ...], Field(min_length=1)]
    slots: Slots = {}
    moods: Moods = {}
