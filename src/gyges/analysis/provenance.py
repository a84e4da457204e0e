"""What was planned, what ran and what was left out, and by whom it was answered and graded. It knows no figure.

It sees a run's episodes, calls and grades once, in passing, and keeps counts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from gyges.transcripts.grades import Grade
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.record import Call, Episode, Outcome

_FINGERPRINT = re.compile(rb'"system_fingerprint"\s*:\s*"([^"\\]{1,80})"')


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AgentSeen(_Value):
    """One agent: the model that was asked for, and what answered. Times are ISO 8601 in UTC, None if unknown."""

    agent: str
    model: str
    models: dict[str, int]
    """Episodes by the model's name as the provider gave it."""
    fingerprints: dict[str, int]
    """Answered calls by the provider's fingerprint of its system, where it gives one."""
    planned: int
    added: bool = False
    """Whether it is an organism that the run added by itself."""
    outcomes: dict[str, int]
    first: str | None
    last: str | None

    @property
    def played(self) -> int:
        return sum(n for outcome, n in self.outcomes.items() if outcome != Outcome.PENDING)


class GraderSeen(_Value):
    """A grader in one version, and how many answers of it there are."""

    question: str
    grader: str
    version: str
    answers: int


class Provenance(_Value):
    """The run as it was planned, bound by the hash of its manifest, beside the run as it was."""

    plan_sha256: str
    """Of the manifest, which is stored before the first call (see `Manifest.sha256`)."""
    created: str
    source: str
    command: str
    seed: int
    samples: int
    hide_signal: bool
    controls: tuple[str, ...]
    scenarios: int
    variants: int
    versions: dict[str, str]
    agents: tuple[AgentSeen, ...]
    left_out: tuple[str, ...]
    """What was planned and is not there, or is there and was not planned, in words."""
    grade_set: str
    graders: tuple[GraderSeen, ...]

    @property
    def planned(self) -> int:
        """Episodes planned."""
        return sum(agent.planned for agent in self.agents)

    @property
    def played(self) -> int:
        """Episodes that ended."""
        return sum(agent.played for agent in self.agents)


@dataclass(slots=True)
class _Agent:
    models: Counter[str] = field(default_factory=Counter)
    fingerprints: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    scenarios: set[str] = field(default_factory=set)
    first: float = float("inf")
    last: float = 0.0


class Witness:
    """Sees every episode with its calls, and every grade, in any order."""

    def __init__(self) -> None:
        self._agents: defaultdict[str, _Agent] = defaultdict(_Agent)
        self._graders: Counter[tuple[str, str, str]] = Counter()

    def see(self, episode: Episode, calls: Iterable[Call] = ()) -> None:
        agent = self._agents[episode.key.agent]
        agent.outcomes[episode.outcome.value] += 1
        if episode.outcome is Outcome.PENDING:
            return
        agent.scenarios.add(episode.key.scenario)
        agent.first, agent.last = min(agent.first, episode.started), max(agent.last, episode.ended)
        if episode.model:
            agent.models[episode.model] += 1
        agent.fingerprints.update(found for call in calls if (found := fingerprint(call)))

    def see_grade(self, grade: Grade) -> None:
        self._graders[grade.question, grade.grader, grade.version] += 1

    def provenance(self, manifest: Manifest, grade_set: str = "") -> Provenance:
        agents = tuple(self._agent(name, manifest) for name in self._names(manifest))
        return Provenance(
            plan_sha256=manifest.sha256(),
            created=manifest.created,
            source=manifest.source,
            command=manifest.command,
            seed=manifest.seed,
            samples=manifest.samples,
            hide_signal=manifest.hide_signal,
            controls=manifest.controls,
            scenarios=len({scenario.name for scenario in manifest.scenarios}),
            variants=len(manifest.scenarios),
            versions=manifest.versions,
            agents=agents,
            left_out=tuple(self._left_out(agents, manifest)),
            grade_set=grade_set,
            graders=tuple(
                GraderSeen(question=question, grader=grader, version=version, answers=n)
                for (question, grader, version), n in sorted(self._graders.items())
            ),
        )

    def _names(self, manifest: Manifest) -> list[str]:
        """The agents of the plan in its order, then any others."""
        return list(dict.fromkeys([*(agent.name for agent in manifest.agents), *sorted(self._agents)]))

    def _agent(self, name: str, manifest: Manifest) -> AgentSeen:
        seen = self._agents.get(name, _Agent())
        models = {agent.name: agent.model for agent in manifest.agents}
        return AgentSeen(
            agent=name,
            model=models.get(name, ""),
            models=dict(sorted(seen.models.items())),
            fingerprints=dict(sorted(seen.fingerprints.items())),
            planned=_planned(manifest, name),
            added=name in manifest.added(),
            outcomes=dict(sorted(seen.outcomes.items())),
            first=_time(seen.first),
            last=_time(seen.last),
        )

    def _left_out(self, agents: Iterable[AgentSeen], manifest: Manifest) -> Iterable[str]:
        if manifest.source != "played":
            return
        wanted = {agent.name: {name for name, _ in manifest.plays(agent)} for agent in manifest.agents}
        for agent in agents:
            missing = agent.planned - agent.played
            if missing > 0:
                played = self._agents[agent.agent].scenarios if agent.agent in self._agents else set()
                names = wanted[agent.agent]
                whole = f", {n} of {len(names)} scenarios altogether" if (n := len(names - played)) else ""
                yield f"{agent.agent}: {missing} of {agent.planned} planned episodes did not run{whole}"


def fingerprint(call: Call) -> str:
    """The fingerprint in an answer, as JSON or as a stream of events; "" where there is none."""
    found = _FINGERPRINT.search(call.response or b"")
    return found[1].decode("utf-8", "replace") if found else ""


def _planned(manifest: Manifest, name: str) -> int:
    """Episodes of one agent: what it plays, in every context of its family's contrasts."""
    if manifest.source != "played":
        return 0
    contexts: dict[str, set[str]] = {}
    for named in manifest.contrasts:
        contexts.setdefault(named.family, set()).update((named.contrast.first, named.contrast.second))
    families = {scenario.name: scenario.family for scenario in manifest.scenarios}
    plays = (manifest.plays(agent) for agent in manifest.agents if agent.name == name)
    return sum(n * len(contexts.get(families[scenario], ())) for own in plays for (scenario, _), n in own.items())


def _time(seconds: float) -> str | None:
    if not 0 < seconds < float("inf"):
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
