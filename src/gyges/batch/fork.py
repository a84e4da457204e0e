"""An order for forks, checked: of which run's episodes, in which ways, and what their run says of itself.

The run forked from is opened for reading only. It plays nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Literal

from gyges.agents.intervene import interventions, read_words
from gyges.agents.paraphrase import read_rules
from gyges.agents.profile import Profile, load_profile
from gyges.batch.flow import Limits
from gyges.batch.order import (
    Prepared,
    limited,
    order_of,
    planned_agent,
    planned_scenarios,
    prepare,
    sha256,
    versions,
)
from gyges.batch.spending import Allowance
from gyges.errors import UsageError
from gyges.scenarios import probes
from gyges.scenarios.plan import Seed
from gyges.scenarios.read import Scenario
from gyges.transcripts.manifest import Forking, Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import EpisodeKey, Outcome
from gyges.transcripts.rows import Heading
from gyges.transcripts.runs import find_run

FORKED = frozenset({Outcome.COMPLETED, Outcome.REFUSED_BY_MODEL})
"""Outcomes of episodes that can be forked: others came to no end."""
PROMPT, END = "prompt", "end"
"""Where a probe is asked: before the first answer, after the last."""
LAST = "last"
"""The answer that an intervention takes the place of, where none is named."""


@dataclass(frozen=True, slots=True)
class ForkOrder:
    """What the user asked for."""

    run: str
    kind: Literal["probe", "intervention"]
    names: tuple[str, ...]
    """Probes or interventions; no probe: all there are."""
    at: tuple[str, ...]
    """`prompt` and `end`, or the number of an answer from 1, or `last`."""
    repeats: int = 1
    episodes: int | None = None
    """At most so many of each agent and context."""
    paraphraser: str | None = None
    command: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to fork an episode."""

    name: str
    at: str
    reasoning: bool = True
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """One fork: its key, the episode it is forked from, the way and the repetition."""

    key: EpisodeKey
    origin: Heading
    way: Way
    repeat: int


@dataclass(frozen=True, slots=True)
class PreparedForks:
    """An order, checked. `source` is the run forked from; `prepared` has its plans, scenarios and agents."""

    order: ForkOrder
    source: Path
    origin: Manifest
    prepared: Prepared
    scenarios: Mapping[str, Scenario]
    ways: tuple[Way, ...]
    paraphraser: Profile | None
    chosen: tuple[Heading, ...]
    """The episodes to be forked."""

    def seed(self) -> Seed:
        """Another one than the source's, whose noise its forks must not share."""
        return Seed(self.origin.seed).child("fork", self.order.kind)

    def planned(self) -> dict[tuple[str, str], int]:
        """How many forks each agent has to play, by agent and context."""
        return Counter((fork.key.agent, fork.key.context) for fork in self.forks())

    def forks(self) -> Iterator[Planned]:
        """All forks. Those of a pair that are made in the same way have the same sample in their keys."""
        for heading in self.chosen:
            for number, way in enumerate(self.ways):
                if not self._fits(heading, way):
                    continue
                for repeat in range(self.order.repeats):
                    within = (heading.key.sample * len(self.ways) + number) * self.order.repeats + repeat
                    yield Planned(replace(heading.key, sample=within), heading, way, repeat)

    def _fits(self, heading: Heading, way: Way) -> bool:
        if self.order.kind == "intervention":
            return True
        return way.name in probes.probes_of(self.scenarios[heading.key.scenario], probes.read_probes())

    def manifest(self, run: str) -> Manifest:
        order = self.order
        forking = Forking(
            run=self.source.stem,
            sha256=self.origin.sha256(),
            kind=order.kind,
            names=order.names,
            at=",".join(order.at),
            repeats=order.repeats,
            episodes=order.episodes,
            paraphraser=planned_agent(self.paraphraser) if self.paraphraser else None,
            texts=self.texts(),
        )
        changes: dict[str, object] = {
            "run": run,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "source": "forked",
            "command": order.command,
            "samples": self.origin.samples * len(self.ways) * order.repeats,
            "agents": tuple(agent for agent in self.origin.agents if agent.added is None),
            "organisms": False,
            "unchecked": {},
            "planted": (),
            "forked": forking,
            "versions": versions(),
        }
        return self.origin.model_copy(update=changes)

    def texts(self) -> str:
        """The hash of the authored words that are put to the models."""
        if self.order.kind == "intervention":
            return sha256([read_words().model_dump(mode="json"), read_rules().model_dump(mode="json")])
        file = probes.read_probes()
        own = {s.family: {n: p.model_dump() for n, p in s.shared.probes.items()} for s in self.prepared.scenarios}
        return sha256([file.model_dump(), own])


def prepare_forks(order: ForkOrder) -> PreparedForks:
    """Read and check everything that the order names. Raises UsageError or AuthoringError."""
    source = find_run(order.run)
    with RunReader(source) as reader:
        origin = reader.manifest
        # What the run added to check itself by is another batch's business: forks are of agents.
        own = [one for one in reader.headings() if one.key.agent not in origin.added()]
        chosen = tuple(_choose(own, order.episodes, Seed(origin.seed)))
    if origin.source != "played":
        to_do = "fork the run that was played" if origin.source == "forked" else "there are no calls to go on from"
        raise UsageError(f"{source.stem} was {origin.source}", to_do)
    if order.repeats < 1:
        raise UsageError("at least one repetition is needed")
    if not chosen:
        raise UsageError(f"{source.stem} has no finished episode to fork", "finish it with `gyges resume`")
    prepared = prepare(replace(order_of(origin), organisms=False))
    _check_unchanged(origin, prepared)
    ways = _ways(order, prepared)
    paraphraser = load_profile(order.paraphraser, role="paraphraser") if order.paraphraser else None
    scenarios = {scenario.name: scenario for scenario in prepared.scenarios}
    return PreparedForks(order, source, origin, prepared, scenarios, ways, paraphraser, chosen)


def limited_forks(forks: PreparedForks, limits: Limits, allowance: Allowance) -> PreparedForks:
    """The same, played no faster and for no more than this. Raises UsageError."""
    return replace(forks, prepared=limited(forks.prepared, limits, allowance))


def prepare_forks_again(manifest: Manifest) -> PreparedForks:
    """The order of a run of forks that stopped, checked to be what it was. Raises UsageError."""
    forked = manifest.forked
    assert forked is not None
    order = ForkOrder(
        forked.run,
        forked.kind,
        forked.names,
        tuple(forked.at.split(",")),
        forked.repeats,
        forked.episodes,
        forked.paraphraser.name if forked.paraphraser else None,
        manifest.command,
    )
    found = prepare_forks(order)
    now = found.manifest(manifest.run)
    if now.forked != forked or now.versions != manifest.versions:
        what = f"{manifest.run} can't be resumed: the run forked from, the words or versions changed since"
        raise UsageError(what, "start a new one")
    return found


def _check_unchanged(origin: Manifest, prepared: Prepared) -> None:
    """Raise UsageError where scenarios or agents are no longer what they were in the run forked from."""
    now = {(one.name, one.variant): one.sha256 for one in planned_scenarios(prepared.scenarios, prepared.plans)}
    odd = [f"scenario {one.name}" for one in origin.scenarios if now.get((one.name, one.variant)) != one.sha256]
    profiles = {profile.name: planned_agent(profile) for profile in prepared.profiles}
    asked = [one for one in origin.agents if one.added is None]
    odd += [f"agent {one.name}" for one in asked if profiles.get(one.name) != one]
    if odd:
        raise UsageError(f"{', '.join(dict.fromkeys(odd))} changed since {origin.run} was played", "play it anew")


def _ways(order: ForkOrder, prepared: Prepared) -> tuple[Way, ...]:
    if order.kind == "intervention":
        made = interventions(order.names, read_words())
        return tuple(Way(one.name, order.at[0], fraction=one.fraction) for one in made)
    file = probes.read_probes()
    known = {name: spec for one in prepared.scenarios for name, spec in probes.probes_of(one, file).items()}
    names = probes.chosen(known, order.names)
    return tuple(Way(*way) for way in product(names, order.at, (True, False)))


def _choose(headings: Sequence[Heading], most: int | None, seed: Seed) -> Iterator[Heading]:
    """At most so many of each agent and context, whole pairs, every scenario before any has a second."""
    blocks: dict[tuple[str, str, str, int], list[Heading]] = {}
    for one in headings:
        if one.outcome in FORKED:
            blocks.setdefault((one.key.agent, one.key.scenario, one.key.variant, one.key.sample), []).append(one)
    drawn = sorted(blocks, key=lambda block: seed.child("forked", *block).hex())
    seen: dict[tuple[str, str], int] = {}
    turns = []
    for agent, scenario, variant, sample in drawn:
        turn = seen[agent, scenario] = seen.get((agent, scenario), 0) + 1
        turns.append((turn, (agent, scenario, variant, sample)))
    taken: dict[str, int] = {}
    for _, block in sorted(turns, key=lambda turn: turn[0]):
        taken[block[0]] = taken.get(block[0], 0) + 1
        if most is None or taken[block[0]] <= most:
            yield from blocks[block]
