"""A scenario: its own file and its family's, seen as one. It does not know how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gyges.scenarios.family import BehaviourSpec, Controls, Factors, FamilyFile, ScenarioFile, Turn
from gyges.scenarios.nodes import Document
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.plan import Control
from gyges.scenarios.world_file import CallSpec, Tools, World


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A scenario with its family, as they were written."""

    name: str
    """Full: `family/scenario`."""
    family: str
    file: Path
    shared: FamilyFile
    own: ScenarioFile
    document: Document
    """Of the scenario's own file; for places in errors."""
    query: Mapping[str, Phrase] = field(default_factory=dict)
    """The values of one query of the scenario's list of queries, where it has one."""
    passages: tuple[Path, ...] = ()
    """The folders that its templates may include passages from, in order."""

    @property
    def values(self) -> dict[str, Phrase]:
        return {**self.shared.values, **self.own.values, **self.query}

    @property
    def contexts(self) -> dict[str, dict[str, Phrase]]:
        return self.shared.contexts

    @property
    def signals(self) -> tuple[str, ...]:
        return tuple(next(iter(self.contexts.values())))

    @property
    def system(self) -> Phrase:
        return self.own.system or self.shared.system or Phrase("")

    @property
    def turns(self) -> tuple[Turn, ...]:
        return self.own.turns or self.shared.turns

    @property
    def world(self) -> World:
        return {**self.shared.world, **self.own.world}

    @property
    def tools(self) -> Tools:
        return {**self.shared.tools, **self.own.tools}

    @property
    def looks(self) -> tuple[CallSpec, ...]:
        return self.own.looks or self.shared.looks

    @property
    def behaviour(self) -> BehaviourSpec:
        behaviour = self.own.behaviour or self.shared.behaviour
        assert behaviour is not None, "a scenario without a behaviour is refused when it is read"
        return behaviour

    @property
    def factors(self) -> Factors:
        return {**self.shared.factors, **self.own.factors}

    @property
    def combine(self) -> Literal["cross", "zip"]:
        return self.own.combine or self.shared.combine or "cross"

    @property
    def draw(self) -> int | None:
        return self.own.draw or self.shared.draw

    @property
    def controls(self) -> Controls:
        own, shared = self.own.controls, self.shared.controls
        return Controls(
            null=own.null or shared.null, placebo=own.placebo or shared.placebo, swap=own.swap or shared.swap
        )

    @property
    def without(self) -> dict[Control, Phrase]:
        return {**self.shared.without, **self.own.without}
