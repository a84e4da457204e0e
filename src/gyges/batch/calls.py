"""The model calls of one episode: answered from the ledger where it can, else from the wire, and committed first.

An answer is in the store before the graph sees it. It knows neither the plan nor the graph.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gyges.batch.retry import Patience
from gyges.models.provider import CallFailed, Provider, Received, Reply, Sampling, Trouble
from gyges.scenarios.plan import Seed
from gyges.transcripts.record import Call, Intent, Message
from gyges.transcripts.store import RunWriter

DRAW_HEADER = "x-gyges-draw"
"""Carries an organism's noise: opaque, so that what seeds it says nothing about the context."""


@dataclass(frozen=True, slots=True)
class Line:
    """A provider and how to use it: shared by all episodes of an agent."""

    provider: Provider
    model: str
    sampling: Sampling
    patience: Patience
    connections: asyncio.Semaphore
    organism: bool = False


class Caller:
    """Asks the model, call after call, for one episode."""

    def __init__(
        self, line: Line, writer: RunWriter, episode: str, noise: Seed, answered: Mapping[int, Call] | None = None
    ) -> None:
        self._line = line
        self._writer = writer
        self._episode = episode
        self._noise = noise
        self._answered = answered or {}
        self._ordinal = 0
        self._chance = random.Random(noise.child("pause").integer())

    async def __call__(self, messages: Sequence[Message]) -> Reply:
        """Ask once more. Raises CallFailed when no attempt gave an answer."""
        ordinal, self._ordinal = self._ordinal, self._ordinal + 1
        body = self._line.provider.request(self._line.model, messages, self._line.sampling)
        known = self._answered.get(ordinal)
        if known is not None and known.request == body and known.response is not None:
            received = Received(known.status or 200, known.headers, known.response)
            return self._line.provider.read(received)
        headers = {DRAW_HEADER: self._noise.child(ordinal).hex()} if self._line.organism else {}
        attempt = 0
        while True:
            try:
                return await self._attempt(body, headers, ordinal, attempt)
            except CallFailed as failure:
                pause = self._line.patience.pause(failure, attempt, self._chance)
                if pause is None:
                    raise
            await asyncio.sleep(pause)
            attempt += 1

    async def _attempt(self, body: bytes, headers: Mapping[str, str], ordinal: int, attempt: int) -> Reply:
        """Say that it is about to be sent, send it once, commit what came, then read it.

        Cancelled while it is under way it leaves its intent, by which it is known as possibly billed.
        """
        received: Received | None = None
        failure: CallFailed | None = None
        reply: Reply | None = None
        async with self._line.connections:
            sent = time.time()
            await self._writer.intent(Intent(self._episode, ordinal, attempt, sent))
            try:
                received = await self._send(body, headers)
            except CallFailed as caught:
                failure = caught
        try:
            reply = self._line.provider.read(received) if received else None
        except CallFailed as caught:
            failure = caught
        await self._writer.call(
            Call(
                episode=self._episode,
                ordinal=ordinal,
                attempt=attempt,
                request=body,
                response=received.body if received else None,
                status=received.status if received else None,
                error=str(failure) if failure else "",
                sent=sent,
                received=time.time() if received else None,
                headers=received.headers if received else (),
            )
        )
        if reply is None:
            assert failure is not None
            raise failure
        return reply

    async def _send(self, body: bytes, headers: Mapping[str, str]) -> Received:
        seconds = self._line.patience.call_seconds
        try:
            # The SDK's timeouts are per read: a server that drips bytes never trips them.
            async with asyncio.timeout(seconds):
                return await self._line.provider.send(body, headers)
        except TimeoutError as late:
            raise CallFailed(Trouble.TRANSIENT, f"no full answer within {seconds:g} s") from late
