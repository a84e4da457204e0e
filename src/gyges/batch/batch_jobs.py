"""One episode of a batch: the request that it makes, and how it is played once its answer is there.

It knows no batch and no store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gyges.agents.episode import Ask, play
from gyges.batch.calls import Caller
from gyges.batch.play import Job, noise
from gyges.models.provider import Begun, CallFailed, Form, Received, Reply, Tool, Trouble
from gyges.scenarios.plan import Seed
from gyges.transcripts.record import Call, Message

DRAW = 32
"""Hexadecimal digits that tell a call from all others of its run."""


class _Asked(CallFailed):
    """Raised in the place of an answer: what was to be known is the question."""

    def __init__(self, body: bytes) -> None:
        super().__init__(Trouble.REJECTED, "nothing was sent")
        self.body = body

    @property
    def stops_the_run(self) -> bool:
        return True


async def first_request(job: Job) -> bytes:
    """The body of the first request that the episode makes, byte for byte."""
    line, profile = job.agent.line, job.agent.profile

    async def ask(
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        form: Form | None = None,
        begun: Begun | None = None,
    ) -> Reply:
        raise _Asked(line.provider.request(line.model, messages, line.sampling, tools, form, begun))

    try:
        await play(
            job.agent.graph, job.plan, ask, instructions=profile.instructions, scratchpad=profile.scratchpad
        )
    except _Asked as asked:
        return asked.body
    raise AssertionError("a graph that asks nothing")


def item_id(key: str, job: Job, seed: Seed) -> str:
    """The name of the episode's request in the batch of this key; says nothing about the context."""
    return f"{key}-{noise(seed, job.key()).child(0).hex()[:DRAW]}"


def reread(job: Job, call: Call) -> CallFailed | None:
    """Why a stored call is no answer; None where it is one."""
    if call.response is None:
        return CallFailed(Trouble.TRANSIENT, call.error or "no answer came")
    try:
        job.agent.line.provider.read(Received(call.status or 200, call.headers, call.response))
    except CallFailed as failure:
        return failure
    return None


@dataclass(frozen=True, slots=True)
class Answered(Job):
    """A job whose call was made in a batch: its answer is in the ledger, or it failed for good."""

    failure: CallFailed | None = None

    def asks(self, caller: Caller) -> Ask:
        """The caller finds the answer in the ledger, and sends nothing."""
        failure = self.failure
        if failure is None:
            return caller

        async def fail(
            messages: Sequence[Message],
            tools: Sequence[Tool] = (),
            form: Form | None = None,
            begun: Begun | None = None,
        ) -> Reply:
            del messages, tools, form, begun
            raise failure

        return fail
