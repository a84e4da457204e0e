"""Episodes of one turn, handed to a provider as batches: submit, leave, come back. It grades nothing.

Everything is decided from the store, so that it makes no difference when a process died. A batch is announced with
all its calls before it is handed in, and named after: one that was announced and has no name is looked for at the
provider under its key, and handed in again only when the provider does not have it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from gyges.batch.batch_jobs import Answered, first_request, item_id, reread
from gyges.batch.lines import WITHOUT_TOOLS, ready_agents, wire_name
from gyges.batch.order import Prepared
from gyges.batch.play import Agent, Job, play_job, provider_error, schedule
from gyges.batch.queue import Queue
from gyges.batch.retry import AGAIN
from gyges.batch.run import discard_if_empty, play_queue
from gyges.batch.spending import Allowance, Budget
from gyges.errors import LimitReached, ProviderError, UsageError, several
from gyges.models.batches import MOST_ITEMS, Batches, Item, NotYetKnown, Result
from gyges.models.provider import CallFailed, Trouble
from gyges.models.registry import batches as batches_of
from gyges.scenarios.plan import Seed
from gyges.transcripts import clock
from gyges.transcripts.batch_rows import Submitted
from gyges.transcripts.failpoint import reach
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Call, Episode, EpisodeKey, Outcome
from gyges.transcripts.store import RunWriter

ATTEMPTS = 3
"""Batches that one call may be part of: those that expired, or that the provider could not answer."""
SECONDS_UNTIL_LISTED = 60.0
"""A batch that was handed in so recently may not be listed yet."""

Tell = Callable[[str], None]
"""Says something to the user."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is still with providers."""

    batches: int
    calls: int


async def play_batches(
    path: Path, prepared: Prepared, done: Callable[[Episode], None], tell: Tell, *, new: bool
) -> Left:
    """Hand in what is to be asked, fetch what is there, play what was answered.

    Raises UsageError for what can't be asked in a batch, ProviderError, and LimitReached by a budget.
    """
    check(prepared)
    async with ready_agents(prepared) as agents:
        try:
            if new:
                with RunWriter.create(path, prepared.manifest(path.stem)) as writer:
                    for plan in prepared.plans:
                        await writer.plan(plan)
            with RunWriter.open(path) as writer, RunReader(path) as reader:
                return await _Desk(prepared, agents, writer, reader, done, tell).visit()
        except BaseException:
            if new and not _handed_in(path):
                discard_if_empty(path)
            raise


def _handed_in(path: Path) -> bool:
    if not path.exists():
        return False
    with RunReader(path) as reader:
        return bool(reader.batches())


def check(prepared: Prepared) -> None:
    """Raises UsageError for what can't be asked in a batch."""
    for plan in prepared.plans:
        if len(plan.turns) != 1 or plan.world:
            raise UsageError(
                f"{plan.scenario} has {'tools' if plan.world else f'{len(plan.turns)} turns'}",
                "in a batch each episode asks once: leave --batch out",
            )
    for profile in prepared.profiles:
        if profile.name in prepared.chosen.added:
            continue
        if profile.graph not in WITHOUT_TOOLS or profile.tools:
            raise UsageError(f"{profile.name} may ask more than once", "leave --batch out")
        if profile.stream:
            raise UsageError(f"{profile.name} streams its answers", "a batch can't: write `stream: false`")
        if profile.organism and not profile.base_url:
            raise UsageError(
                f"{profile.name} would be gone before you come back", "start `gyges serve` and give --base-url"
            )


@dataclass
class _Desk:
    """One visit at the providers of a run."""

    prepared: Prepared
    agents: Sequence[Agent]
    writer: RunWriter
    reader: RunReader
    done: Callable[[Episode], None]
    tell: Tell
    seed: Seed = field(init=False)

    def __post_init__(self) -> None:
        self.seed = Seed(self.prepared.order.seed)
        for agent in self.agents:
            price = agent.line.spending.price
            agent.line.spending.price = price.in_batch() if price else None

    async def visit(self) -> Left:
        blocks = schedule(self.agents, self.prepared.plans, self.prepared.order.samples, self.seed)
        finished = {one.key for one in self.reader.headings() if one.outcome is not Outcome.PENDING}
        jobs = {job.key().id(): job for job in chain(*blocks) if job.key() not in finished}
        await self._organisms(blocks, finished)
        for agent in self.agents:
            if agent.added is not None:
                continue
            desk = batches_of(*wire_name(agent.profile, ""))
            try:
                await self._agent(agent, desk, jobs, blocks)
            finally:
                await desk.close()
        still = [batch for batch in self.reader.batches() if batch.open]
        return Left(len(still), sum(len(batch.calls) for batch in still))

    async def _organisms(self, blocks: Sequence[Sequence[Job]], finished: Set[EpisodeKey]) -> None:
        """Play the organisms that the run added, which answer at once: there is nothing to hand in."""
        left = [[one for one in block if one.agent.added and one.key() not in finished] for block in blocks]
        queue = Queue([block for block in left if block], Budget(Allowance(), []), Job.expected)
        order = self.prepared.order
        await play_queue(queue, order, self.seed, self.writer, self.done, self.reader.answered)

    async def _agent(
        self, agent: Agent, desk: Batches, jobs: Mapping[str, Job], blocks: Sequence[Sequence[Job]]
    ) -> None:
        for batch in self.reader.batches():
            if batch.agent == agent.profile.name and batch.open:
                await self._look_after(batch, desk, jobs)
        taken = {id for batch in self.reader.batches() if batch.open for id, _ in batch.calls}
        free = {id for id, job in jobs.items() if job.agent is agent} - taken
        again = {id for id in sorted(free) if not await self._played(jobs[id])}
        wanted = [[job for job in block if job.key().id() in again] for block in blocks]
        await self._hand_in(agent, desk, [block for block in wanted if block])

    # Coming back

    async def _look_after(self, batch: Submitted, desk: Batches, jobs: Mapping[str, Job]) -> None:
        """Take up an open batch where it is: look for it, ask how far it is, fetch its results."""
        try:
            if not batch.name:
                batch = await self._found(batch, desk, jobs)
            if not batch.name:
                return
            state = await desk.state(batch.name)
            if state.failed:
                await self.writer.batch_became(replace(batch, stage="lost", why=state.failed))
                raise ProviderError(f"the provider did not take batch {batch.name}: {state.failed}", "mend that")
            if not state.ended:
                self.tell(f"batch {batch.name}: {state.words}, {several(len(batch.calls), 'call')}")
                return
            results = await desk.results(batch.name)
        except CallFailed as failure:
            raise provider_error(failure) from None
        reach("batch-fetched")
        await self.writer.batch_became(replace(batch, stage="fetched"), await self._calls(batch, results, jobs))
        self.tell(f"batch {batch.name}: {state.words}, {len(results)} of {len(batch.calls)} results are here")

    async def _found(self, batch: Submitted, desk: Batches, jobs: Mapping[str, Job]) -> Submitted:
        """The batch with its name, if the provider has it; lost if it has not; as it was if that can't be told."""
        items = [Item(item_id(batch.key, jobs[id], self.seed), b"") for id, _ in batch.calls if id in jobs]
        try:
            name = await desk.find(batch.key, items, batch.sent)
        except NotYetKnown as waiting:
            self.tell(waiting.detail)
            return batch
        if name:
            self.tell(f"batch {name} was handed in before the command broke off")
            batch = replace(batch, name=name, stage="named")
        elif clock.now() - batch.sent < SECONDS_UNTIL_LISTED:
            self.tell(f"batch {batch.key} was handed in a moment ago; the provider may list it in a minute")
            return batch
        else:
            self.tell(f"the provider has no batch {batch.key}: its calls are handed in again")
            batch = replace(batch, stage="lost", why="the provider does not have it")
        await self.writer.batch_became(batch)
        return batch

    async def _calls(self, batch: Submitted, results: Sequence[Result], jobs: Mapping[str, Job]) -> list[Call]:
        """A row for each call of a batch, in whatever order results came."""
        by_id = {result.id: result for result in results}
        found = []
        for id, attempt in batch.calls:
            if id not in jobs:
                continue
            result = by_id.get(item_id(batch.key, jobs[id], self.seed), Result(""))
            received, failure = result.received, result.failure
            call = Call(
                episode=id,
                ordinal=0,
                attempt=attempt,
                request=await first_request(jobs[id]),
                response=received.body if received else None,
                status=received.status if received else None,
                error="" if received else str(failure or "transient: the batch ended without it"),
                sent=batch.sent,
                received=clock.now() if received else None,
                headers=received.headers if received else (),
            )
            found.append(replace(call, error=str(reread(jobs[id], call) or "")) if received else call)
        return found

    async def _played(self, job: Job) -> bool:
        """Play an episode whose call came to its end. False where it is still to be asked, or asked again."""
        id = job.key().id()
        calls = self.reader.calls(id)
        if not calls:
            return False
        answered = self.reader.answered(id)
        failure = None if answered else reread(job, calls[-1])
        if failure and failure.stops_the_run:
            raise provider_error(failure)
        if failure and failure.trouble in AGAIN and len(calls) < ATTEMPTS:
            return False
        ready = Answered(job.agent, job.plan, job.sample, failure)
        self.done(await play_job(ready, self.writer, self.seed, answered))
        return True

    # Handing in

    async def _hand_in(self, agent: Agent, desk: Batches, blocks: Sequence[Sequence[Job]]) -> None:
        budget = Budget(
            self.prepared.order.allowance, [one.line.spending for one in self.agents if one.added is None]
        )
        allowed: list[Sequence[Job]] = []
        forbidden = ""
        for block in blocks:
            forbidden = budget.begin((id(job), job.expected()) for job in block)
            if forbidden:
                break
            allowed.append(block)
        for jobs in _chunks(allowed):
            await self._submit(agent, desk, jobs)
        if forbidden:
            left = sum(map(len, blocks)) - sum(map(len, allowed))
            raise LimitReached(
                f"{forbidden} is reached; not handed in: {several(left, 'episode')}",
                f"finish it with: gyges resume {self.writer.path.stem}",
            )

    async def _submit(self, agent: Agent, desk: Batches, jobs: Sequence[Job]) -> None:
        key = secrets.token_hex(8)
        attempts = tuple((job.key().id(), len(self.reader.calls(job.key().id()))) for job in jobs)
        batch = Submitted(key, agent.profile.name, attempts, clock.now())
        items = [Item(item_id(key, job, self.seed), await first_request(job)) for job in jobs]
        await self.writer.batch(batch)
        reach("batch-built")
        try:
            name = await desk.submit(key, items)
        except CallFailed as failure:
            if failure.trouble not in (Trouble.TRANSIENT, Trouble.GARBLED):
                # Refused, or nobody was reached: the provider has not taken it.
                await self.writer.batch_became(replace(batch, stage="lost", why=str(failure)))
                raise provider_error(failure) from None
            raise ProviderError(
                f"whether the provider took a batch of {several(len(items), 'call')} is unknown: {failure.detail}",
                f"`gyges resume {self.writer.path.stem}` looks for it before anything is handed in again",
            ) from None
        reach("batch-submitted")
        await self.writer.batch_became(replace(batch, name=name, stage="named"))
        reach("batch-named")
        self.tell(f"batch {name}: {several(len(items), 'call')} of {agent.profile.name} handed in")


def _chunks(blocks: Sequence[Sequence[Job]]) -> Iterator[list[Job]]:
    """Whole blocks, as many as a batch takes."""
    chunk: list[Job] = []
    for block in blocks:
        if chunk and len(chunk) + len(block) > MOST_ITEMS:
            yield chunk
            chunk = []
        chunk += block
    if chunk:
        yield chunk
