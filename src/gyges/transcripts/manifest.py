"""What a run says of itself: what was planned, with what, by which versions. Stored with the run as JSON."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gyges.scenarios.plan import Behaviour, Contrast, control_of

Setting = int | float | str

Variant = tuple[str, str]
"""A scenario and its variant, by name."""


class PlannedScenario(BaseModel):
    """A scenario as it was when the run began. `sha256` covers its rendered plans in all contexts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    family: str
    variant: str
    sha256: str
    behaviour: Behaviour | None
    """None for imported transcripts."""


class Added(BaseModel):
    """What an organism plays that the run added to check itself by: some of the experiment, and no control arm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: dict[str, int]
    """Episodes of each plan, by scenario; it plays no other scenario."""
    variants: int
    """It plays at most so many variants of a scenario: the first ones."""


class PlannedAgent(BaseModel):
    """An agent as it was: its profile as canonical JSON, without secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    model: str
    base_url: str
    graph: str
    profile: str
    code: str = ""
    """The SHA-256 of the graph's file."""
    added: Added | None = None
    """Of organisms that the run added by itself; None: an agent that was asked for."""


class FamilyContrast(BaseModel):
    """A contrast and the family that declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    contrast: Contrast


class PlantedGap(BaseModel):
    """The gap that is planted in an organism for one contrast, over the scenarios and variants of the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: str
    family: str
    contrast: Contrast
    gap: float
    revealed: float | None = None
    """The part with reasoning that reveals; None where what it tells of is not what the contrast asks for."""
    silent: float | None = None
    tells: float | None = None
    """Of what its motive decides: the share with reasoning that says so; None as for `revealed`."""
    rates: dict[str, tuple[float, float]] = {}
    """By scenario: how often it complies there, in the first context and the second; empty where not known."""


class Forking(BaseModel):
    """What the forks of a run are: of which run's episodes, and what is done in them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    """The run forked from."""
    sha256: str
    """Of that run's manifest."""
    kind: Literal["probe", "intervention"]
    names: tuple[str, ...]
    """The probes asked or the interventions made, as the command gave them; `truncated:0.5` with its fraction."""
    at: str
    """`prompt`, `end` or both, with a comma, for probes; the number of the answer for interventions, or `last`."""
    repeats: int
    episodes: int | None = None
    """Only so many of that run's episodes of each agent; None: all."""
    paraphraser: PlannedAgent | None = None
    texts: str
    """The SHA-256 of the authored words of the probes or interventions."""


class Manifest(BaseModel):
    """Everything about a run that is not an episode. `created` is ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    created: str
    source: Literal["played", "imported", "forked"]
    command: str
    seed: int
    samples: int
    hide_signal: bool = False
    took_over: str = ""
    """The run whose answers, where they still held, this one began with."""
    batch: bool = False
    """Whether calls are made in the provider's batches."""
    looks: int = 1
    """How often the growing run is looked at, evenly spaced, the last time when it is complete."""
    controls: tuple[str, ...] = ()
    sampling: dict[str, Setting] = {}
    """Settings that the command gave in the place of the profiles'."""
    scenarios: tuple[PlannedScenario, ...]
    agents: tuple[PlannedAgent, ...]
    contrasts: tuple[FamilyContrast, ...]
    organisms: bool = False
    """Whether organisms are added by which the run checks itself."""
    unchecked: dict[str, str] = {}
    """By family: why organisms can't check it, or not wholly."""
    planted: tuple[PlantedGap, ...] = ()
    """Of the run's organisms, from the words that they are sent."""
    behaviour: str = ""
    """Of imported transcripts: the label that says the behaviour, as `label:NAME=VALUE`."""
    options: str = ""
    """The label's values that count, as `a,b`."""
    forked: Forking | None = None
    """Of a run of forks; the fields above are those of the run forked from, except `samples`."""
    versions: dict[str, str]
    """Of gyges, Python, SQLite and the SDKs."""

    def added(self) -> frozenset[str]:
        """The names of the organisms that the run added by itself."""
        return frozenset(agent.name for agent in self.agents if agent.added is not None)

    def plays(self, agent: PlannedAgent) -> dict[Variant, int]:
        """Episodes that an agent has to play in each context of each scenario and variant."""
        return samples_of(agent.added, ((one.name, one.variant) for one in self.scenarios), self.samples)

    def sha256(self) -> str:
        """Of the manifest's canonical JSON: keys sorted, no spaces, ASCII, fields at their defaults left out.

        What binds a report to its plan: a run stores its manifest before its first call.
        """
        canonical = self.model_dump(mode="python", exclude_defaults=True)
        text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def samples_of(added: Added | None, variants: Iterable[Variant], samples: int) -> dict[Variant, int]:
    """Episodes in each context of each variant that is played, in the order of `variants`.

    They are `samples` of everything for an agent that was asked for (`added` is None).
    """
    each = dict.fromkeys(variants)
    if added is None:
        return dict.fromkeys(each, samples)
    found: dict[Variant, int] = {}
    seen: Counter[str] = Counter()
    for scenario, variant in each:
        if scenario in added.samples and control_of(variant)[0] is None and seen[scenario] < added.variants:
            seen[scenario] += 1
            found[scenario, variant] = added.samples[scenario]
    return found
