"""The model calls of one episode: answered from the ledger where it can, else from the wire, and committed first.

An answer is in the store before the graph sees it. It knows neither the plan nor the graph.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gyges.batch.flow import Flow
from gyges.batch.health import Halt, Health, is_throttled
from gyges.batch.ledger import Ledger
from gyges.batch.retry import AGAIN, Patience
from gyges.batch.spending import Spending
from gyges.models.failures import retry_after
from gyges.models.provider import (
    Begun,
    CallFailed,
    Form,
    Provider,
    Received,
    Reply,
    Sampling,
    Tool,
    Trouble,
    Usage,
)
from gyges.models.rate_limits import rooms
from gyges.scenarios.plan import Seed
from gyges.transcripts import clock
from gyges.transcripts.failpoint import reach
from gyges.transcripts.record import Call, Intent, Message

DRAW_HEADER = "x-gyges-draw"
"""Carries an organism's noise: opaque, so that what seeds it says nothing about the context."""
BYTES_A_TOKEN = 4
"""Of a request, roughly; the pace is corrected by what the answer says."""


@dataclass(frozen=True, slots=True)
class Line:
    """A provider and how to use it: shared by all episodes of an agent."""

    provider: Provider
    model: str
    sampling: Sampling
    patience: Patience
    flow: Flow
    health: Health = field(default_factory=Health)
    spending: Spending = field(default_factory=Spending)
    organism: bool = False


class Caller:
    """Asks the model, call after call, for one episode."""

    def __init__(
        self, line: Line, writer: Ledger, episode: str, noise: Seed, answered: Mapping[int, Call] | None = None
    ) -> None:
        self._line = line
        self._writer = writer
        self._episode = episode
        self._noise = noise
        self._answered = answered or {}
        self._ordinal = 0
        self._chance: random.Random | None = None
        self._deadline: asyncio.Timeout | None = None

    def watch(self, deadline: asyncio.Timeout) -> None:
        """The episode's deadline, which stands still while a call waits for its turn or for the provider."""
        self._deadline = deadline

    async def __call__(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        form: Form | None = None,
        begun: Begun | None = None,
    ) -> Reply:
        """Ask once more. Raises CallFailed when no attempt gave an answer, CannotContinue for `begun` alone."""
        ordinal, self._ordinal = self._ordinal, self._ordinal + 1
        line = self._line
        body = line.provider.request(line.model, messages, line.sampling, tools, form, begun)
        known = self._answered.get(ordinal)
        if known is not None and known.request == body and known.response is not None:
            received = Received(known.status or 200, known.headers, known.response)
            reach("answer-replayed")
            return self._line.provider.read(received)
        headers = {DRAW_HEADER: self._noise.child(ordinal).hex()} if self._line.organism else {}
        attempt, others, blamed = 0, self._line.health.answers, 0
        forgiven, outage = 0, False
        while True:
            try:
                return await self._attempt(body, headers, ordinal, attempt)
            except CallFailed as failure:
                if self._line.health.answers > others:
                    others, blamed = self._line.health.answers, blamed + 1
                if outage and self._line.health.down_since is None:
                    # It is over: what failed in it says nothing about this call.
                    forgiven = attempt
                pause = self._pause(failure, attempt - forgiven, blamed)
                outage = self._line.health.down_since is not None
            await self._standing_still(asyncio.sleep(pause))
            attempt += 1

    def _pause(self, failure: CallFailed, attempt: int, blamed: int) -> float:
        """Seconds until the next attempt. Raises CallFailed when there is to be none.

        `blamed` counts the attempts that failed while other calls were answered.
        """
        line = self._line
        if failure.trouble not in AGAIN:
            raise line.health.rejected(failure)
        if (failure.retry_after or 0.0) > line.patience.longest_retry_after:
            detail = f"{line.provider.base_url} asks to wait {failure.retry_after:.0f} s: {failure.detail}"
            raise Halt(failure, detail, "`gyges resume` then")
        if self._chance is None:
            self._chance = random.Random(self._noise.child("pause").integer())
        pause = line.patience.pause(failure, attempt, self._chance)
        if pause is not None:
            return pause
        if line.health.used_up(failure, blamed) == "give up":
            raise failure
        return line.patience.pause_in_outage(failure, self._chance)

    async def _attempt(self, body: bytes, headers: Mapping[str, str], ordinal: int, attempt: int) -> Reply:
        """Say that it is about to be sent, send it once, commit what came, then read it.

        Cancelled while it is under way it leaves its intent, by which it is known as possibly billed.
        """
        received: Received | None = None
        failure: CallFailed | None = None
        flow, estimate = self._line.flow, len(body) // BYTES_A_TOKEN
        if flow.free():
            await flow.enter(estimate)
        else:
            await self._standing_still(flow.enter(estimate))
        try:
            sent = clock.now()
            await self._writer.intent(Intent(self._episode, ordinal, attempt, sent))
            reach("intent-stored")
            received = await self._send(body, headers)
            # Before the place is free: else the next in line would go out although all were told to wait.
            if promised := rooms(received.headers):
                flow.told(promised, estimate)
            if is_throttled(received):
                flow.throttled(retry_after(received.headers))
        except CallFailed as caught:
            failure = caught
        finally:
            flow.leave()
        call = Call(
            episode=self._episode,
            ordinal=ordinal,
            attempt=attempt,
            request=body,
            response=received.body if received else None,
            status=received.status if received else None,
            error=str(failure) if failure else "",
            sent=sent,
            received=clock.now() if received else None,
            headers=received.headers if received else (),
        )
        reply = None
        try:
            reach("answer-received")
            reply = self._line.provider.read(received) if received else None
            reach("answer-read")
        except CallFailed as caught:
            failure, call = caught, replace(call, error=str(caught))
        finally:
            # Also where reading broke off in a way that nobody foresaw: the answer may have been paid for.
            await self._writer.call(call)
        reach("answer-stored")
        if reply is None:
            assert failure is not None
            self._line.spending.failed()
            raise failure
        self._answered_with(reply.usage, estimate)
        return reply

    def _answered_with(self, usage: Usage, estimate: int) -> None:
        known = usage.input is not None and usage.output is not None
        self._line.flow.answered(estimate, (usage.input or 0) + (usage.output or 0) if known else None)
        self._line.health.answered()
        self._line.spending.answered(usage)

    async def _send(self, body: bytes, headers: Mapping[str, str]) -> Received:
        seconds = self._line.patience.call_seconds
        try:
            # The SDK's timeouts are per read: a server that drips bytes never trips them.
            async with asyncio.timeout(seconds):
                return await self._line.provider.send(body, headers)
        except TimeoutError as late:
            raise CallFailed(Trouble.TRANSIENT, f"no full answer within {seconds:g} s") from late

    async def _standing_still(self, waiting: Awaitable[None]) -> None:
        """Wait, and let the episode's deadline wait too: a crowd or an outage is not the agent's fault."""
        deadline = self._deadline
        due = deadline.when() if deadline else None
        if deadline is None or due is None:
            await waiting
            return
        loop = asyncio.get_running_loop()
        start = loop.time()
        deadline.reschedule(None)
        try:
            await waiting
        finally:
            if not deadline.expired():
                deadline.reschedule(due + loop.time() - start)
