"""The format: what `family.yaml` and a scenario's file may say. It knows neither YAML nor Jinja."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gyges.scenarios.condition_file import ConditionSpec
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.plan import Control
from gyges.scenarios.probe_file import ProbeSpec
from gyges.scenarios.world_file import CallSpec, Reply, Tools, World

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]
"""Contexts, labels, findings: they stand in keys, figures and file names."""
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""Values and signals: they stand in templates."""
Canary = Annotated[str, StringConstraints(pattern=r"^gyges-canary:[0-9a-f][0-9a-f-]{7,}")]


class Authored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Instead(Authored):
    """What the user says in the place of a turn's text, and when."""

    when: ConditionSpec
    user: Phrase


class Turn(Authored):
    """One turn of the user."""

    user: Phrase
    instead: tuple[Instead, ...] = ()
    """What is said in its place: the first whose condition holds when the turn is reached."""
    replies: tuple[Reply, ...] = ()
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
    """How what the agent did is judged."""

    kind: Literal["decision", "end_state", "tool_calls", "text", "judged"]
    """decision: from the last line that begins with the marker and names a choice. judged: by a judge, who is told
    the words of the choices (`gyges grade --judge`). The others: from the first condition in `when` that holds at
    the end, which may ask, for an end state, about the world, the calls and the answer; for tool calls about the
    calls and the answer; for a text about the answer."""
    marker: Phrase | None = None
    """Of a decision."""
    choices: Annotated[dict[Name, Phrase], Field(min_length=2)]
    """For each behaviour label, the words that follow the marker, or that say what the agent does."""
    when: dict[Name, ConditionSpec] = {}
    """For each label its condition, in the order in which they are looked at."""
    otherwise: Name | None = None
    """The label where no condition holds. Left out: such an episode is ungraded."""


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
    world: World = {}
    """The stores that the tools work on, by name."""
    tools: Tools = {}
    """The tools that the agent is offered, by name."""
    looks: tuple[CallSpec, ...] = ()
    """Calls that decide nothing and let an agent see what there is to see: an organism makes them first."""
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
    probes: dict[Name, ProbeSpec] = {}
    """Questions about an episode, asked in forks of it; one of the library's name takes its place."""


class ScenarioFile(Authored):
    """One scenario. Values, stores and tools add to the family's or replace them; the rest replaces."""

    canary: Canary
    title: Phrase
    source: Phrase | None = None
    values: dict[Word, Phrase] = {}
    system: Phrase | None = None
    world: World = {}
    """The stores that the tools work on, by name."""
    tools: Tools = {}
    """The tools that the agent is offered, by name."""
    looks: tuple[CallSpec, ...] = ()
    """Calls that decide nothing and let an agent see what there is to see: an organism makes them first."""
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
    examples: dict[Name, tuple[Reply, ...]]
    """Example replies to the last turn, by behaviour label: texts, or calls of tools with a text."""
