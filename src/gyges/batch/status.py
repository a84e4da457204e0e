"""What is going on in a run: how far it is, and every call that somebody waits for. It only reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gyges.errors import StoreError, UsageError, several
from gyges.scenarios.plan import Plan
from gyges.transcripts.batch_rows import Submitted
from gyges.transcripts.lock import Owner, writer_of
from gyges.transcripts.manifest import Manifest, PlannedAgent
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import EpisodeKey, Intent, Outcome
from gyges.transcripts.safe import safe

MOST_NAMED = 20
"""Calls that are named one by one."""


@dataclass(frozen=True, slots=True)
class Status:
    """A run as it stands. Ages are in seconds."""

    owner: Owner | None
    """Who plays it; None when nobody does."""
    planned: dict[str, int]
    """Episodes by agent."""
    done: dict[str, Counter[Outcome]]
    in_flight: list[tuple[EpisodeKey | None, Intent, float]]
    """Calls that somebody waits for, the oldest first, with their age."""
    billed: list[tuple[EpisodeKey | None, Intent]]
    """Calls that brought no answer, and nobody waits for one: possibly billed."""
    batches: list[Submitted] = field(default_factory=list)
    """What is with providers as batches."""


def status(path: Path, now: float | None = None) -> Status:
    """Raises StoreError when there is no run that can be read."""
    owner = writer_of(path)
    with RunReader(path) as reader:
        made = reader.manifest
        plans = list(reader.plans())
        headings = list(reader.headings())
        sent, unanswered = reader.in_flight(), reader.unanswered()
        batches = [batch for batch in reader.batches() if batch.open]
    # What is in a batch is with the provider, and nobody waits for it.
    away = {(episode, attempt, batch.sent) for batch in batches for episode, attempt in batch.calls}
    sent = [one for one in sent if (one.episode, one.attempt, one.sent) not in away]
    unanswered = [one for one in unanswered if (one.episode, one.attempt, one.sent) not in away]
    keys = {
        (key := EpisodeKey(agent.name, plan.scenario, plan.variant, plan.context, sample)).id(): key
        for agent in made.agents
        if (plays := made.plays(agent))
        for plan in plans
        for sample in range(plays.get((plan.scenario, plan.variant), 0))
    }
    ended = {heading.id for heading in headings if heading.outcome is not Outcome.PENDING}
    done: dict[str, Counter[Outcome]] = {agent.name: Counter() for agent in made.agents}
    for heading in headings:
        done.setdefault(heading.key.agent, Counter())[heading.outcome] += 1
    # What a process that died had sent is nobody's any more, nor is what belongs to an episode that ended.
    waited_for = [one for one in sent if owner and one.sent >= owner.started and one.episode not in ended]
    read = owner.now() if owner and now is None else now or 0.0
    forked = _forked(made) if made.forked else {}
    return Status(
        owner=owner,
        planned={
            # Of transcripts that were imported nothing was planned but what is there.
            agent.name: done[agent.name].total()
            if made.source == "imported"
            else forked.get(agent.name, _planned(made, agent, plans))
            for agent in made.agents
        },
        done=done,
        in_flight=[(keys.get(one.episode), one, max(0.0, read - one.sent)) for one in waited_for],
        batches=batches,
        billed=[(keys.get(one.episode), one) for one in unanswered if one not in waited_for],
    )


def _forked(made: Manifest) -> dict[str, int]:
    """How many forks each agent has to play; empty where what they go by changed since: nobody can tell."""
    from gyges.batch.fork import prepare_forks_again

    try:
        cells = prepare_forks_again(made).planned()
    except (UsageError, StoreError):
        return {}
    planned: Counter[str] = Counter({agent.name: 0 for agent in made.agents})
    for (agent, _), count in cells.items():
        planned[agent] += count
    return dict(planned)


def _planned(made: Manifest, agent: PlannedAgent, plans: Sequence[Plan]) -> int:
    plays = made.plays(agent)
    return sum(plays.get((plan.scenario, plan.variant), 0) for plan in plans)


def lines(found: Status, name: str) -> Iterator[str]:
    """For a terminal."""
    if found.owner:
        yield f"{name}: played by process {found.owner.pid} on {found.owner.host} since {found.owner.since}"
    elif any(sum(found.done[agent].values()) < planned for agent, planned in found.planned.items()):
        yield f"{name}: nobody plays it; finish it with: gyges resume {name}"
    else:
        yield f"{name}: finished"
    for agent, planned in found.planned.items():
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(found.done[agent].items()))
        yield safe(f"  {agent}: {sum(found.done[agent].values())} of {planned}") + (
            f" ({outcomes})" if outcomes else ""
        )
    for key, intent, age in found.in_flight:
        yield safe(f"  in flight for {age:.1f} s: {_named(key, intent)}")
    for batch in found.batches:
        name = batch.name or f"{batch.key} (nobody heard whether the provider took it)"
        yield safe(f"  with the provider: {several(len(batch.calls), 'call')} of {batch.agent} in batch {name}")
    if found.billed:
        yield f"  possibly billed, no answer: {several(len(found.billed), 'call')}"
    for key, intent in found.billed[:MOST_NAMED]:
        yield safe(f"    {_named(key, intent)}")
    if len(found.billed) > MOST_NAMED:
        yield f"    and {len(found.billed) - MOST_NAMED} more"


def _named(key: EpisodeKey | None, intent: Intent) -> str:
    again = f" (attempt {intent.attempt + 1})" if intent.attempt else ""
    words = (
        (key.agent, key.scenario, key.variant, key.context, f"sample {key.sample}") if key else (intent.episode,)
    )
    return f"{' '.join(filter(None, words))}, call {intent.ordinal + 1}{again}"


def to_json(found: Status, name: str) -> str:
    """One object: run, process, agents, in_flight, possibly_billed."""
    return json.dumps(
        {
            "run": name,
            "process": {"pid": found.owner.pid, "host": found.owner.host} if found.owner else None,
            "agents": {
                agent: {"planned": planned, "done": dict(sorted(found.done[agent].items()))}
                for agent, planned in found.planned.items()
            },
            "in_flight": [
                {"episode": one.episode, "call": one.ordinal, "attempt": one.attempt, "seconds": round(age, 3)}
                for _, one, age in found.in_flight
            ],
            "possibly_billed": len(found.billed),
            "batches": [{"name": one.name, "agent": one.agent, "calls": len(one.calls)} for one in found.batches],
        }
    )
