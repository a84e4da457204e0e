"""A worker: plays the episodes that the run hands to it. It has no store, no pace and no budget of its own.

python -m gyges.batch.process_worker FD    the number of its end of the socket; nobody types this

It ends with the run: when the other end of its socket is gone, it is.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import socket
import sys
import threading
import traceback
from collections.abc import Sequence

from gyges.agents.profile import Profile
from gyges.batch.flow import Flow, Limits
from gyges.batch.health import Halt
from gyges.batch.lines import agents_at
from gyges.batch.loop import run
from gyges.batch.play import Agent, Job, play_job
from gyges.batch.process_messages import (
    Broke,
    Enter,
    Granted,
    Leave,
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
from gyges.batch.spending import Spending
from gyges.models.http import Wire, is_in_process
from gyges.models.provider import CallFailed, Usage
from gyges.models.rate_limits import Room
from gyges.scenarios.plan import Seed
from gyges.transcripts.record import Call, Episode, Intent


class Desk:
    """Questions to the run, each answered once."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self._asked: dict[int, asyncio.Future[None]] = {}
        self._number = 0

    def number(self) -> int:
        self._number += 1
        return self._number

    async def granted(self, question: Enter | Put) -> None:
        answer = asyncio.get_running_loop().create_future()
        self._asked[question.number] = answer
        self.pipe.send(question)
        await answer

    def grant(self, number: int) -> None:
        answer = self._asked.pop(number)
        if not answer.done():  # An episode whose time is over waits no more.
            answer.set_result(None)


class FarLedger:
    """The run's store, by way of the run. What goes wrong there ends the run, and with it this worker."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def intent(self, intent: Intent) -> None:
        await self._desk.granted(Put(self._desk.number(), intent))

    async def call(self, call: Call) -> None:
        await self._desk.granted(Put(self._desk.number(), call))

    async def episode(self, episode: Episode) -> None:
        """Handed over when the episode is told as played; the run commits it before it counts it."""


class FarFlow(Flow):
    """The run's pace for one model."""

    def __init__(self, desk: Desk, agent: int) -> None:
        super().__init__(Limits())
        self._desk = desk
        self._agent = agent

    def free(self) -> bool:
        return False

    async def enter(self, tokens: int) -> None:
        number = self._desk.number()
        try:
            await self._desk.granted(Enter(number, self._agent, tokens))
        except asyncio.CancelledError:
            # Granted or about to be: nobody else will give the place back.
            self.leave()
            raise

    def leave(self) -> None:
        self._desk.pipe.send(Leave(self._agent))

    def answered(self, estimated: int, tokens: int | None) -> None:
        self._desk.pipe.send(Tokens(self._agent, estimated, tokens))

    def told(self, rooms: Sequence[Room], tokens: int) -> None:
        self._desk.pipe.send(Promised(self._agent, tuple(rooms), tokens))

    def throttled(self, retry_after: float | None) -> None:
        self._desk.pipe.send(Throttled(self._agent, retry_after))


class FarSpending(Spending):
    """What is spent, told to the run."""

    def __init__(self, desk: Desk, agent: int, near: Spending) -> None:
        super().__init__(near.price)
        self._desk = desk
        self._agent = agent

    def answered(self, usage: Usage) -> None:
        self._desk.pipe.send(Spent(self._agent, usage))

    def failed(self) -> None:
        self._desk.pipe.send(Spent(self._agent, None))


async def work(end: socket.socket) -> None:
    """Play what is handed over, until the run is gone."""
    pipe = await Pipe.over(end)
    desk = Desk(pipe)
    parcels = pipe.parcels()
    first = await anext(parcels, None)
    if first is None:
        return
    start, *rest = first
    assert isinstance(start, Start)
    profiles = [Profile.model_validate_json(profile) for profile in start.profiles]
    seed = Seed(start.seed)
    async with agents_at(
        "", profiles, Limits(), start.patience, start.worlds, _wire(profiles, start, seed)
    ) as near:
        agents = [far(agent, desk, place) for place, agent in enumerate(near)]
        pipe.send(Ready())
        playing: set[asyncio.Task[None]] = set()
        ledger = FarLedger(desk)

        def heard(message: object) -> None:
            if isinstance(message, Granted):
                desk.grant(message.number)
            elif isinstance(message, Play):
                task = asyncio.ensure_future(play(message, agents, ledger, seed, pipe))
                playing.add(task)
                task.add_done_callback(playing.discard)
                task.add_done_callback(_check)

        for message in rest:
            heard(message)
        async for parcel in parcels:
            for message in parcel:
                heard(message)
    # The run is gone: what is under way can't be stored any more, and nobody waits for it.
    os._exit(0)


def _wire(profiles: Sequence[Profile], start: Start, seed: Seed) -> Wire | None:
    """Organisms in this process, where an agent is said to answer here."""
    if not any(is_in_process(profile.base_url or "") for profile in profiles):
        return None
    from gyges.models.in_process import InProcess

    return InProcess.knowing(start.scenarios, seed)


def _check(task: asyncio.Task[None]) -> None:
    """A fault that nobody foresaw ends the worker: the run hears of that, and would not of a lost task."""
    if not task.cancelled() and task.exception() is not None:
        traceback.print_exception(task.exception())
        os._exit(1)


def far(agent: Agent, desk: Desk, place: int) -> Agent:
    """The agent with the run's pace and budget in the place of its own."""
    line = dataclasses.replace(
        agent.line, flow=FarFlow(desk, place), spending=FarSpending(desk, place, agent.line.spending)
    )
    return dataclasses.replace(agent, line=line)


async def play(message: Play, agents: Sequence[Agent], ledger: FarLedger, seed: Seed, pipe: Pipe) -> None:
    job = Job(agents[message.agent], message.plan, message.sample)
    try:
        episode = await play_job(job, ledger, seed, message.answered)
    except CallFailed as failure:
        to_do = failure.to_do if isinstance(failure, Halt) else ""
        pipe.send(Broke(message.number, failure.trouble, failure.detail, to_do))
    else:
        pipe.send(Played(message.number, episode))


def end_with_run() -> None:
    """End when standard input does, whose other end the run holds: also while a graph keeps the loop busy."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=wait, name="end of stdin", daemon=True).start()


if __name__ == "__main__":
    end_with_run()
    run(work(socket.socket(fileno=int(sys.argv[1]))))
