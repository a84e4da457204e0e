"""What a run says of itself: what was planned, with what, by which versions. Stored with the run as JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gyges.scenarios.plan import Behaviour, Contrast

Setting = int | float | str


class PlannedScenario(BaseModel):
    """A scenario as it was when the run began. `sha256` covers its rendered plans in all contexts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    family: str
    variant: str
    sha256: str
    behaviour: Behaviour | None
    """None for imported transcripts."""


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

    def sha256(self) -> str:
        """Of the manifest's canonical JSON: keys sorted, no spaces, ASCII, fields at their defaults left out.

        What binds a report to its plan: a run stores its manifest before its first call.
        """
        canonical = self.model_dump(mode="python", exclude_defaults=True)
        text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()
