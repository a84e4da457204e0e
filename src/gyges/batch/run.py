"""A whole run: every episode of a prepared order, played into one file. It neither grades nor reports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence, Set
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gyges.batch.ending import Ending, to_the_end
from gyges.batch.lines import ready_agents
from gyges.batch.order import Order, Prepared
from gyges.batch.play import Agent, Job, Play, play_all, schedule
from gyges.batch.queue import Queue
from gyges.batch.spending import Budget
from gyges.errors import Interrupted, LimitReached
from gyges.scenarios.plan import Seed
from gyges.transcripts.failpoint import reach
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Call, Episode, EpisodeKey, Outcome
from gyges.transcripts.store import RunWriter

if TYPE_CHECKING:
    from gyges.models.http import Wire

Watch = Callable[[Sequence[Agent], RunWriter], None]
"""Is given what there is to look at while a run goes on."""


async def play_into(
    path: Path,
    prepared: Prepared,
    done: Callable[[Episode], None],
    wire: Wire | None = None,
    watch: Watch | None = None,
) -> None:
    """Play everything into a new file. A run that ends before its first answer leaves no file.

    Raises ProviderError, LimitReached or Interrupted where it comes to no end; what was played is kept.
    """
    async with ready_agents(prepared, wire) as agents:
        try:
            with RunWriter.create(path, prepared.manifest(path.stem)) as writer:
                for plan in prepared.plans:
                    await writer.plan(plan)
                reach("plans-stored")
                if watch:
                    watch(agents, writer)
                await play_some(prepared, agents, writer, done, frozenset())
        except (LimitReached, Interrupted):
            # The message says how to go on, so there has to be something to go on with.
            raise
        except BaseException:
            discard_if_empty(path)
            raise


def discard_if_empty(path: Path) -> None:
    """Remove a run that stopped before anything was answered: there is nothing in it to keep or to resume.

    What organisms said that the run added by itself is nothing to keep.
    """
    if not path.exists():
        return
    with RunReader(path) as reader:
        made, rendered = reader.manifest, list(reader.plans())
        own = {
            EpisodeKey(agent.name, plan.scenario, plan.variant, plan.context, sample).id()
            for agent in made.agents
            if agent.added is not None
            for plays in [made.plays(agent)]
            for plan in rendered
            for sample in range(plays.get((plan.scenario, plan.variant), 0))
        }
        answered = reader.answers() - sum(len(reader.answered(episode)) for episode in own)
    if not answered:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


async def play_rest(
    path: Path, prepared: Prepared, done: Callable[[Episode], None], watch: Watch | None = None
) -> None:
    """Play what is missing in a run: calls that were answered are not made again. Raises as `play_into` does."""
    async with ready_agents(prepared) as agents:
        # The reader goes first: with nobody reading, closing leaves one plain file.
        with RunWriter.open(path) as writer, RunReader(path) as reader:
            finished = frozenset(one.key for one in reader.headings() if one.outcome is not Outcome.PENDING)
            if watch:
                watch(agents, writer)
            await play_some(prepared, agents, writer, done, finished, reader.answered)


async def play_some(
    prepared: Prepared,
    agents: Sequence[Agent],
    writer: RunWriter,
    done: Callable[[Episode], None],
    finished: Set[EpisodeKey],
    answered: Callable[[str], dict[int, Call]] | None = None,
) -> None:
    """Play what is not finished, until the end, the budget's end, or a signal to stop."""
    order, seed = prepared.order, Seed(prepared.order.seed)
    blocks = schedule(agents, prepared.plans, order.samples, seed)
    left = [[job for job in block if job.key() not in finished] for block in blocks]
    paid = [agent.line.spending for agent in agents if agent.added is None]
    queue = Queue(left, Budget(order.allowance, paid), Job.expected)
    async with players(prepared, agents, writer) as play:
        await play_queue(queue, order, seed, writer, done, answered, play)


@asynccontextmanager
async def players(prepared: Prepared, agents: Sequence[Agent], writer: RunWriter) -> AsyncIterator[Play | None]:
    """Worker processes as the order has it; None where this process plays by itself."""
    from gyges.batch.process_crew import crew
    from gyges.batch.process_messages import Start

    def stored(episode: str) -> dict[int, Call]:
        with RunReader(writer.path) as reader:
            return reader.answered(episode)

    order = prepared.order
    if order.processes == 1:
        yield None
        return
    # With their addresses: the server of organisms is this process's own.
    profiles = [agent.profile.model_copy(update={"base_url": agent.line.provider.base_url}) for agent in agents]
    start = Start(
        tuple(profile.model_dump_json() for profile in profiles),
        order.scenarios,
        order.seed,
        order.patience,
        any(plan.world for plan in prepared.plans),
    )
    async with crew(order.processes, agents, writer, start, stored) as hired:
        yield hired.play


async def play_queue(
    queue: Queue[Job],
    order: Order,
    seed: Seed,
    writer: RunWriter,
    done: Callable[[Episode], None],
    answered: Callable[[str], dict[int, Call]] | None = None,
    play: Play | None = None,
) -> None:
    """Play what the queue gives, until the end, the budget's end, or a signal to stop."""
    playing = play_all(queue, writer, seed, at_once=order.connections, done=done, answered=answered, play=play)
    words = Ending("episode", "played", f"finish it with: gyges resume {writer.path.stem}")
    await to_the_end(queue, playing, words)
