"""The workers of a run: starts them, hands episodes to them, does for them what there is one of. It plays nothing.

A worker that dies is replaced. What it had committed is not asked again, and what it had announced and not got is
known as possibly billed, as after any crash.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from gyges.batch.health import Halt
from gyges.batch.ledger import Ledger
from gyges.batch.play import Agent, Job
from gyges.batch.process_messages import (
    Broke,
    Enter,
    Granted,
    Leave,
    Message,
    Play,
    Played,
    Promised,
    Put,
    Ready,
    Spent,
    Start,
    Throttled,
    Tokens,
)
from gyges.batch.process_pipe import Pipe
from gyges.errors import GygesError, UsageError
from gyges.models.provider import CallFailed
from gyges.transcripts.record import Call, Episode, Intent

SECONDS_TO_END = 2.0
DEATHS = 3
"""So many workers that died with no episode played in between are not chance."""

Answered = Callable[[str], dict[int, Call]]


@dataclass(eq=False)
class Worker:
    """A worker's process, and what it is at."""

    process: asyncio.subprocess.Process
    pipe: Pipe
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    at: dict[int, tuple[Job, asyncio.Future[Episode]]] = field(default_factory=dict)
    held: Counter[int] = field(default_factory=Counter)
    """Places for calls that it has, by agent."""
    owed: Counter[int] = field(default_factory=Counter)
    """Places that it gave back before it had them."""
    doing: set[asyncio.Task[None]] = field(default_factory=set)
    listening: asyncio.Task[None] | None = None


class Crew:
    """Made by `crew`. `answered` tells what an episode whose worker died has in the store."""

    def __init__(self, agents: Sequence[Agent], ledger: Ledger, start: Start, answered: Answered) -> None:
        self._agents = agents
        self._places = {id(agent): place for place, agent in enumerate(agents)}
        self._ledger = ledger
        self._start = start
        self._answered = answered
        self._workers: list[Worker] = []
        self._numbers = itertools.count()
        self._deaths = 0
        self._broken: GygesError | None = None
        self._ending = False

    async def play(self, job: Job, answered: dict[int, Call]) -> Episode:
        """Have an episode played and commit it. Raises CallFailed for what concerns the whole run, GygesError."""
        over: asyncio.Future[Episode] = asyncio.get_running_loop().create_future()
        self._hand(job, answered, over)
        return await over

    def _hand(self, job: Job, answered: dict[int, Call], over: asyncio.Future[Episode]) -> None:
        if self._broken is not None:
            _fail(over, self._broken)
            return
        worker = min(self._workers, key=lambda one: len(one.at))
        number = next(self._numbers)
        worker.at[number] = (job, over)
        worker.pipe.send(Play(number, self._places[id(job.agent)], job.plan, job.sample, answered))

    async def hire(self) -> None:
        """Start one more worker. Raises GygesError when it does not come up."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "gyges.batch.process_worker",
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                # Held open as long as this process lives: a worker that hears it close ends at once.
                stdin=asyncio.subprocess.PIPE,
                # Standard output is for results, and a graph may print.
                stdout=2,
                # A Ctrl-C in the terminal is for the run, which lets its workers finish.
                start_new_session=True,
            )
        worker = Worker(process, await Pipe.over(ours))
        self._workers.append(worker)
        worker.pipe.send(self._start)
        worker.listening = asyncio.ensure_future(self._listen(worker))
        up = asyncio.ensure_future(worker.ready.wait())
        await asyncio.wait((up, worker.listening), return_when=asyncio.FIRST_COMPLETED)
        if not worker.ready.is_set():
            up.cancel()
            await _ended(process)
            raise GygesError(
                "a worker process did not start", "its own words stand above; or leave --processes out"
            )

    async def dismiss(self) -> None:
        """End all workers."""
        self._ending = True
        # Each leaves the list as soon as it is heard no more, and has to be waited for all the same.
        workers = tuple(self._workers)
        for worker in workers:
            worker.pipe.close()
        await asyncio.gather(*(_ended(worker.process) for worker in workers))
        for worker in workers:
            if worker.listening is not None:
                await worker.listening

    async def _listen(self, worker: Worker) -> None:
        """Do what the worker asks until it is gone."""
        async for parcel in worker.pipe.parcels():
            for message in parcel:
                self._heard(worker, message)
        self._workers.remove(worker)
        worker.pipe.close()
        for task in worker.doing:
            task.cancel()
        if worker.doing:
            await asyncio.wait(worker.doing)
        for place, held in worker.held.items():
            for _ in range(held):
                self._agents[place].line.flow.leave()
        if not self._ending and worker.ready.is_set():
            await self._replace(worker)

    async def _replace(self, worker: Worker) -> None:
        await worker.process.wait()
        self._deaths += 1
        try:
            if self._deaths >= DEATHS:
                raise GygesError(
                    f"{self._deaths} worker processes died, the last with exit code {worker.process.returncode}",
                    "`gyges resume` the run, without --processes to see what an agent's graph does",
                )
            print("a worker process died; its episodes are played on by another", file=sys.stderr, flush=True)
            await self.hire()
        except GygesError as error:
            self._broken = error
        for job, over in worker.at.values():
            self._hand(job, self._answered(job.key().id()), over)

    def _heard(self, worker: Worker, message: Message) -> None:
        match message:
            case Put():
                self._do(worker, self._put(worker, message))
            case Enter():
                self._do(worker, self._enter(worker, message))
            case Leave(agent=place):
                self._leave(worker, place)
            case Tokens(agent=place):
                self._agents[place].line.flow.answered(message.estimated, message.tokens)
            case Spent(agent=place, usage=None):
                self._agents[place].line.spending.failed()
            case Spent(agent=place, usage=usage) if usage is not None:
                self._agents[place].line.spending.answered(usage)
            case Promised(agent=place):
                self._agents[place].line.flow.told(message.rooms, message.tokens)
            case Throttled(agent=place):
                self._agents[place].line.flow.throttled(message.retry_after)
            case Played():
                self._do(worker, self._over(worker, message))
            case Broke():
                _, over = worker.at.pop(message.number)
                failure = CallFailed(message.trouble, message.detail)
                _fail(over, Halt(failure, message.detail, message.to_do) if message.to_do else failure)
            case Ready():
                worker.ready.set()

    def _do(self, worker: Worker, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        worker.doing.add(task)
        task.add_done_callback(worker.doing.discard)

    async def _put(self, worker: Worker, message: Put) -> None:
        try:
            if isinstance(message.row, Intent):
                await self._ledger.intent(message.row)
            else:
                await self._ledger.call(message.row)
        except GygesError as error:
            # The worker waits for a row that can't be stored: nothing that it plays can end any more.
            self._break(error)
        else:
            worker.pipe.send(Granted(message.number))

    async def _enter(self, worker: Worker, message: Enter) -> None:
        flow = self._agents[message.agent].line.flow
        await flow.enter(message.tokens)
        worker.pipe.send(Granted(message.number))
        if worker.owed[message.agent]:
            worker.owed[message.agent] -= 1
            flow.leave()
        else:
            worker.held[message.agent] += 1

    def _break(self, error: GygesError) -> None:
        """Nothing can be played any more."""
        self._broken = error
        for worker in self._workers:
            for _, over in worker.at.values():
                _fail(over, error)

    def _leave(self, worker: Worker, place: int) -> None:
        if not worker.held[place]:
            worker.owed[place] += 1
            return
        worker.held[place] -= 1
        self._agents[place].line.flow.leave()

    async def _over(self, worker: Worker, message: Played) -> None:
        _, over = worker.at[message.number]
        try:
            await self._ledger.episode(message.episode)
        except GygesError as error:
            self._break(error)
            return
        del worker.at[message.number]
        self._deaths = 0
        if not over.done():
            over.set_result(message.episode)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Have a worker end, by force if it takes too long."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(SECONDS_TO_END):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _fail(over: asyncio.Future[Episode], error: Exception) -> None:
    if not over.done():
        over.set_exception(error)


@asynccontextmanager
async def crew(
    processes: int, agents: Sequence[Agent], ledger: Ledger, start: Start, answered: Answered
) -> AsyncIterator[Crew]:
    """So many workers, for as long as it lasts. Raises GygesError when they don't come up."""
    if sys.platform == "win32":
        raise UsageError("--processes needs Linux or macOS", "leave it out, or raise --max-connections")
    async with AsyncExitStack() as stack:
        hired = Crew(agents, ledger, start, answered)
        stack.push_async_callback(hired.dismiss)
        async with asyncio.TaskGroup() as group:
            for _ in range(processes):
                group.create_task(hired.hire())
        yield hired
