"""Forks played into a run of their own: a new one, or what is missing in one. It judges nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from gyges.agents.episode import opening
from gyges.agents.intervene import CannotIntervene, WordsFile, paraphrase_request, read_words
from gyges.agents.paraphrase import by_rule, read_rules
from gyges.batch.calls import Caller
from gyges.batch.fork import PreparedForks
from gyges.batch.fork_jobs import Paraphrase
from gyges.batch.fork_schedule import Schedule
from gyges.batch.lines import ready_agents
from gyges.batch.order import Prepared
from gyges.batch.play import Agent, Job
from gyges.batch.queue import Queue
from gyges.batch.run import discard_if_empty, play_queue
from gyges.batch.spending import Budget
from gyges.errors import Interrupted, LimitReached
from gyges.models.provider import CallFailed
from gyges.scenarios.plan import Seed, Text
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Call, Episode, EpisodeKey, Message, Outcome
from gyges.transcripts.store import RunWriter


async def play_forks(path: Path, forks: PreparedForks, done: Callable[[Episode], None], *, new: bool) -> None:
    """Play the forks into a new run, or what is missing in one. A run without any answer leaves no file.

    Raises ProviderError, LimitReached or Interrupted where it comes to no end; what was played is kept.
    """
    if new:
        RunWriter.create(path, forks.manifest(path.stem)).close()
    try:
        with RunReader(path) as reader, RunReader(forks.source) as source:
            finished = frozenset(one.key for one in reader.headings() if one.outcome is not Outcome.PENDING)
            async with ready_agents(with_paraphraser(forks)) as ready:
                with RunWriter.open(path) as writer:
                    if new:
                        for plan in source.plans():
                            await writer.plan(plan)
                    await _play(forks, ready, source, reader, writer, finished, done)
    except (LimitReached, Interrupted):
        raise
    except BaseException:
        if new:
            discard_if_empty(path)
        raise


async def _play(
    forks: PreparedForks,
    ready: Sequence[Agent],
    source: RunReader,
    reader: RunReader,
    writer: RunWriter,
    finished: frozenset[EpisodeKey],
    done: Callable[[Episode], None],
) -> None:
    agents = {agent.profile.name: agent for agent in ready[: len(forks.prepared.profiles)]}
    helper = ready[-1] if forks.paraphraser else None
    paraphrase = paraphrasing(helper, writer, reader.answered, forks.seed())
    blocks = Schedule(forks, agents, source, paraphrase).blocks()
    left = [[job for job in block if job.key() not in finished] for block in blocks]
    order = forks.prepared.order
    queue = Queue(left, Budget(order.allowance, [agent.line.spending for agent in ready]), Job.expected)
    await play_queue(queue, order, forks.seed(), writer, done, reader.answered)


def with_paraphraser(forks: PreparedForks) -> Prepared:
    """The agents of the run, and behind them the paraphraser, where there is one."""
    profiles = forks.prepared.profiles
    return replace(forks.prepared, profiles=(*profiles, forks.paraphraser) if forks.paraphraser else profiles)


def paraphrasing(
    agent: Agent | None, writer: RunWriter, answered: Callable[[str], dict[int, Call]], seed: Seed
) -> Paraphrase:
    """How texts are paraphrased: by the agent, whose calls stand in the ledger beside the fork's, or by rule."""
    rules, words = read_rules(), read_words()

    async def by_agent(fork: str, text: str) -> str:
        assert agent is not None
        name = f"{fork}/paraphraser"
        caller = Caller(agent.line, writer, name, seed.child(name), answered(name))
        asked = (*opening(Text(""), agent.profile.instructions), _request(text, words))
        try:
            async with asyncio.timeout(agent.profile.limits.seconds):
                reply = await caller(asked)
        except CallFailed as failure:
            if failure.stops_the_run:
                raise
            raise CannotIntervene(f"the paraphraser did not answer: {failure}") from None
        return _usable(reply.message.text if reply.outcome is Outcome.COMPLETED else "", str(reply.outcome))

    async def offline(_fork: str, text: str) -> str:
        return by_rule(text, rules)

    return by_agent if agent else offline


def _request(text: str, words: WordsFile) -> Message:
    return Message("user", paraphrase_request(text, words))


def _usable(text: str, outcome: str) -> str:
    if not text.strip():
        raise CannotIntervene(f"the paraphrase has no words: {outcome}")
    return text.strip()
