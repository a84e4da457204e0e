"""Many episodes: every agent plays every plan, the contexts of a pair side by side. It grades nothing.

What is done is in the store; what is not can be resumed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gyges.agents.episode import Ask, EpisodeContext, EpisodeState, Played, play
from gyges.agents.profile import Profile
from gyges.agents.tools import Toolbox
from gyges.batch.calls import Caller, Line
from gyges.batch.flow import A_ROUND
from gyges.batch.health import Halt
from gyges.batch.ledger import Ledger
from gyges.batch.queue import Queue
from gyges.batch.spending import ROUNDS, Expected, expected
from gyges.errors import AuthenticationError, GygesError, LimitReached, ProviderError
from gyges.models.provider import CallFailed, Trouble
from gyges.scenarios.plan import Plan, Seed
from gyges.transcripts import clock
from gyges.transcripts.failpoint import reach
from gyges.transcripts.manifest import Added, samples_of
from gyges.transcripts.record import Call, Episode, EpisodeKey, Outcome

if TYPE_CHECKING:
    from langgraph.pregel import Pregel

log = logging.getLogger("gyges.batch")

E = TypeVar("E", bound=Exception)

Play = Callable[["Job", dict[int, Call]], Awaitable[Episode]]
"""Plays and commits an episode, with the calls of it that were answered before."""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent, ready to play: its profile, its graph and its line to the model."""

    profile: Profile
    graph: Pregel[EpisodeState, EpisodeContext, EpisodeState, EpisodeState]
    line: Line
    toolbox: Toolbox | None = None
    world_graph: Pregel[EpisodeState, EpisodeContext, EpisodeState, EpisodeState] | None = None
    """The graph for plans with a world, where the profile's own graph uses no tools."""
    added: Added | None = None
    """What it plays, of an organism that the run added by itself; None: everything."""


@dataclass(frozen=True, slots=True)
class Job:
    """One episode to play."""

    agent: Agent
    plan: Plan
    sample: int

    def key(self) -> EpisodeKey:
        name = self.agent.profile.name
        return EpisodeKey(name, self.plan.scenario, self.plan.variant, self.plan.context, self.sample)

    def expected(self) -> Expected:
        """What it will use of a budget, as far as can be known: nothing, where the run itself added the agent."""
        if self.agent.added is not None:
            return Expected()
        profile, spending = self.agent.profile, self.agent.line.spending
        rounds = ROUNDS if self.plan.world or self.agent.toolbox else 1
        return spending.better(
            expected(self.plan, spending.price, profile.instructions, profile.sampling.max_tokens, rounds)
        )

    def asks(self, caller: Caller) -> Ask:
        """How its graph asks: the caller itself, or what stands before it."""
        return caller

    def told(self, episode: Episode) -> Episode:
        """The episode as it is stored."""
        return episode


def schedule(agents: Sequence[Agent], plans: Iterable[Plan], samples: int, seed: Seed) -> list[tuple[Job, ...]]:
    """Blocks of jobs in random order; a block is one agent, scenario, variant and sample in all its contexts.

    The contexts of a pair start together and in random order, so that nothing that drifts with time (a provider's
    load, a model behind an alias) falls on one context more than on the other.
    """
    by_variant: dict[tuple[str, str], list[Plan]] = {}
    for plan in plans:
        by_variant.setdefault((plan.scenario, plan.variant), []).append(plan)
    chance = random.Random(seed.child("order").integer())
    blocks = []
    for agent in agents:
        for variant, played in samples_of(agent.added, by_variant, samples).items():
            contexts = by_variant[variant]
            for sample in range(played):
                jobs = [Job(agent, plan, sample) for plan in contexts]
                chance.shuffle(jobs)
                blocks.append(tuple(jobs))
    chance.shuffle(blocks)
    return blocks


def noise(seed: Seed, key: EpisodeKey) -> Seed:
    """The seed of an organism's own noise: another one for each agent, context, sample (and call)."""
    return seed.child("noise", key.agent, key.scenario, key.variant, key.context, key.sample)


async def play_job(job: Job, writer: Ledger, seed: Seed, answered: dict[int, Call] | None = None) -> Episode:
    """Play one episode and commit it. Raises CallFailed for what concerns the whole run."""
    key = job.key()
    started = clock.now()
    caller = Caller(job.agent.line, writer, key.id(), noise(seed, key), answered)
    profile, price = job.agent.profile, job.agent.line.spending.price
    try:
        played = await play(
            job.agent.world_graph if job.plan.world and job.agent.world_graph else job.agent.graph,
            job.plan,
            job.asks(caller),
            instructions=profile.instructions,
            scratchpad=profile.scratchpad,
            steps=profile.limits.steps,
            tokens=profile.limits.tokens,
            cost=profile.limits.cost,
            price=price.of if price else None,
            seconds=profile.limits.seconds,
            toolbox=job.agent.toolbox,
            watch=caller.watch,
        )
    except CallFailed:
        raise
    except MemoryError:
        # The next episode would fare no better.
        raise LimitReached(
            "there is no memory left for what is under way", "`gyges resume` with fewer --max-connections"
        ) from None
    except Exception as fault:
        log.exception("episode %s failed", key.id())
        played = Played((), Outcome.ERRORED, f"{type(fault).__name__}: {fault}", "")
    episode = Episode(
        key=key,
        family=job.plan.family,
        outcome=played.outcome,
        reason=played.reason,
        messages=played.messages,
        started=started,
        ended=clock.now(),
        model=played.model,
    )
    episode = job.told(episode)
    reach("episode-played")
    await writer.episode(episode)
    reach("episode-stored")
    return episode


async def play_all(
    queue: Queue[Job],
    writer: Ledger,
    seed: Seed,
    *,
    at_once: int,
    done: Callable[[Episode], None],
    answered: Callable[[str], dict[int, Call]] | None = None,
    play: Play | None = None,
) -> None:
    """Play what the queue gives, so many at once; `play` is for workers. Raises ProviderError to end the run."""

    async def worker() -> None:
        while (job := await queue.next()) is not None:
            known = answered(job.key().id()) if answered else {}
            episode = await (play(job, known) if play else play_job(job, writer, seed, known))
            if job.plan.world or job.agent.toolbox:
                said = sum(message.role == "assistant" for message in episode.messages)
                job.agent.line.spending.longest = max(job.agent.line.spending.longest, said)
            done(episode)
            queue.done(job)
            reach("episode-counted")

    try:
        async with asyncio.TaskGroup() as group:
            for number in range(1, at_once + 1):
                group.create_task(worker())
                if number % A_ROUND == 0:
                    await asyncio.sleep(0)
    except* CallFailed as failures:
        raise provider_error(first(failures)) from None
    except* GygesError as refusals:
        raise first(refusals) from None


def first(group: BaseExceptionGroup[E]) -> E:
    """One failure of a group: they all stopped the run for a reason of the same kind."""
    found = group.exceptions[0]
    return first(found) if isinstance(found, BaseExceptionGroup) else found


def provider_error(failure: CallFailed) -> ProviderError:
    """What to tell the user about a failure that stops the run."""
    if isinstance(failure, Halt):
        return ProviderError(failure.detail, failure.to_do)
    if failure.trouble is Trouble.AUTHENTICATION:
        return AuthenticationError(failure.detail, "check the key and that it may use this model")
    if failure.trouble is Trouble.QUOTA:
        return ProviderError(failure.detail, "raise the limit or add credit, then `gyges resume`")
    return ProviderError(failure.detail, "check --base-url and that the server is running")
