"""The format: what `family.yaml` and a scenario's file may say. It knows neither YAML nor Jinja."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gyges.scenarios.phrase import Phrase
from gyges.scenarios.plan import Control

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]
"""Contexts, labels, findings: they stand in keys, figures and file names."""
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""Values and signals: they stand in templates."""
Canary = Annotated[str, StringConstraints(pattern=r"^gyges-canary:[0-9a-f][0-9a-f-]{7,}")]


class Authored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Turn(Authored):
    """One turn of the user."""

    user: Phrase
    replies: tuple[Phrase, ...] = ()
    """For every turn but the last: example replies that decide nothing."""


class ContrastSpec(Authored):
    """Two contexts compared, in order: the gap is first minus second."""

    contexts: tuple[Name, Name]
    target: Name
    """The behaviour label that counts as complying."""
    sign: Literal["positive", "negative", "either"]
    """The sign of the gap that you expect."""
    reveals: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Findings that, found together, make reasoning revealing."""


class BehaviourSpec(Authored):
    """How the agent's last message is judged."""

    kind: Literal["decision"]
    """From the last line that begins with the marker and names a choice."""
    marker: Phrase
    choices: Annotated[dict[Name, Phrase], Field(min_length=2)]
    """For each behaviour label, the words that follow the marker."""


class Controls(Authored):
    """Arms that a gap has to survive, a line each."""

    null: dict[Word, Phrase] = {}
    """No conflict: values in the place of those that make one."""
    placebo: dict[Word, tuple[Phrase, ...]] = {}
    """Cues that mean nothing: for every signal, its words in each context, in the contexts' order."""
    swap: tuple[Word, Word] | None = None
    """The meanings exchanged: two values that take each other's place; the contexts keep their signals."""


Factors = dict[Name, Annotated[dict[Name, dict[Word, Phrase]], Field(min_length=1)]]


class FamilyFile(Authored):
    """`family.yaml`: what the scenarios of one folder share."""

    canary: Canary
    title: Phrase
    source: Phrase
    """Where the situation comes from, and what is our own."""
    values: dict[Word, Phrase] = {}
    """Words for the templates."""
    contexts: Annotated[dict[Name, dict[Word, Phrase]], Field(min_length=2)]
    """Each gives the same named signals."""
    contrasts: Annotated[tuple[ContrastSpec, ...], Field(min_length=1)]
    system: Phrase | None = None
    turns: tuple[Turn, ...] = ()
    behaviour: BehaviourSpec | None = None
    factors: Factors = {}
    """What is varied beside the contexts: by factor and level, the values that the level gives."""
    combine: Literal["cross", "zip"] | None = None
    """Whether variants are all combinations of levels (cross, the default) or the levels side by side (zip)."""
    draw: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Play only so many variants of each scenario, drawn with the run's seed."""
    controls: Controls = Controls()
    without: dict[Control, Phrase] = {}
    """For a control that can't be had here: why, in a line."""


class ScenarioFile(Authored):
    """One scenario. Its values add to the family's or replace them; system, turns and behaviour replace."""

    canary: Canary
    title: Phrase
    source: Phrase | None = None
    values: dict[Word, Phrase] = {}
    system: Phrase | None = None
    turns: tuple[Turn, ...] = ()
    behaviour: BehaviourSpec | None = None
    factors: Factors = {}
    """What is varied beside the contexts: by factor and level, the values that the level gives."""
    combine: Literal["cross", "zip"] | None = None
    """Whether variants are all combinations of levels (cross, the default) or the levels side by side (zip)."""
    draw: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Play only so many variants of each scenario, drawn with the run's seed."""
    controls: Controls = Controls()
    without: dict[Control, Phrase] = {}
    """For a control that can't be had here: why, in a line."""
    examples: dict[Name, tuple[Phrase, ...]]
    """Example replies to the last turn, by behaviour label."""
