"""What of a run is still valid when something changed since: the answers that a new run takes over.

An episode's answers hold where its scenario (every word that is sent) and its agent are what they were. That each
request is the same, byte for byte, is checked again when it would be sent. It plays nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gyges.batch.order import Prepared, differences, order_of, prepare
from gyges.errors import UsageError
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import EpisodeKey
from gyges.transcripts.store import RunWriter


@dataclass(frozen=True, slots=True)
class Takeover:
    """A run as it would be begun today, and what changed since it was."""

    source: Path
    prepared: Prepared
    changed: tuple[str, ...]
    valid: frozenset[str]
    """Ids of the episodes whose answers hold."""


def takeover(source: Path) -> Takeover:
    """Raises UsageError where nothing changed, or nothing can be played any more."""
    with RunReader(source) as reader:
        old = reader.manifest
    prepared = prepare(order_of(old))
    new = prepared.manifest(old.run)
    changed = differences(old, new)
    if not changed:
        raise UsageError(f"nothing changed since {source.stem}", "resume it without --fork")
    return Takeover(source, prepared, tuple(changed), frozenset(still_valid(old, new, prepared)))


def still_valid(old: Manifest, new: Manifest, prepared: Prepared) -> set[str]:
    """The ids of episodes whose scenario and agent are the same in both."""
    scenarios = {(one.name, one.variant) for one in new.scenarios if one in old.scenarios}
    was = {one.name: old.plays(one) for one in old.agents}
    return {
        EpisodeKey(agent.name, plan.scenario, plan.variant, plan.context, sample).id()
        for agent in new.agents
        if agent in old.agents
        for plans in [new.plays(agent)]
        for plan in prepared.plans
        if (plan.scenario, plan.variant) in scenarios
        for sample in range(
            min(was[agent.name].get((plan.scenario, plan.variant), 0), plans.get((plan.scenario, plan.variant), 0))
        )
    }


async def begin(path: Path, found: Takeover) -> int:
    """Make the new run, with the answers that hold. Returns how many there are; to be played as one resumed."""
    manifest = found.prepared.manifest(path.stem).model_copy(update={"took_over": found.source.stem})
    taken = 0
    with RunReader(found.source) as reader, RunWriter.create(path, manifest) as writer:
        for plan in found.prepared.plans:
            await writer.plan(plan)
        for episode in sorted(found.valid):
            for call in reader.answered(episode).values():
                await writer.call(call)
                taken += 1
    return taken
