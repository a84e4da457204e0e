"""Forks as jobs: a question after an episode, or an answer of it that goes on from other reasoning.

An episode is played again from the ledger up to the fork: its own graph, its own stored answers, byte for byte the
same requests. What can't be done is said in the fork, and nothing is asked then. It schedules nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from gyges.agents.episode import Ask, with_scratchpad
from gyges.agents.intervene import CannotIntervene, Intervention, Material, WordsFile, changed
from gyges.batch.calls import Caller
from gyges.batch.play import Job
from gyges.models.begun import joined
from gyges.models.provider import Begun, CallFailed, CannotContinue, Provider, Received, Reply, Tool, Trouble
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Call, Episode, Fork, Message, Visibility

Paraphrase = Callable[[str, str], Awaitable[str]]
"""Other words for a text, asked for in the name of a fork's id. Raises CannotIntervene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeJob(Job):
    """A question before the first answer of an episode, or after its last.

    Its plan is the question alone (before the first answer: with the user's first turn before it).
    """

    source: RunReader
    fork: Fork
    offered: tuple[Tool, ...] = ()
    """The agent's tools: some providers refuse a history of calls without them."""

    def asks(self, caller: Caller) -> Ask:
        before = self.before()

        async def ask(messages: Sequence[Message], _tools: Sequence[Tool] = ()) -> Reply:
            own = [message for message in messages if message.role != "system"]
            return await caller((*before, *own), self.offered)

        return ask

    def before(self) -> tuple[Message, ...]:
        """What was said before the question."""
        fork, said = self.fork, self.source.episode(self.fork.episode).messages
        if fork.turn:
            return said
        return said[: next((at for at, message in enumerate(said) if message.role == "user"), 0)]

    def told(self, episode: Episode) -> Episode:
        before = self.before()
        turn = sum(message.role == "assistant" for message in before)
        fork = replace(self.fork, turn=turn, message=len(before))
        return replace(episode, messages=(*before, *episode.messages), fork=fork)


@dataclass(slots=True)
class Came:
    """What came of an intervention while its episode was played."""

    impossible: str = ""
    turn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InterventionJob(Job):
    """An answer of an episode that is given again, from reasoning in which something was changed."""

    source: RunReader
    fork: Fork
    how: Intervention
    at: int | None
    """Which answer, from 0; None: the last."""
    words: WordsFile
    wrong: str | None
    pair: str | None
    """The id of the episode's pair."""
    paraphrase: Paraphrase
    came: Came = field(default_factory=Came)

    def asks(self, caller: Caller) -> Ask:
        return _Intervening(self, caller)

    def told(self, episode: Episode) -> Episode:
        answers = [at for at, message in enumerate(episode.messages) if message.role == "assistant"]
        message = answers[self.came.turn] if self.came.turn < len(answers) else len(episode.messages)
        fork = replace(self.fork, turn=self.came.turn, message=message, impossible=self.came.impossible)
        return replace(episode, fork=fork)


class _Intervening:
    """Answers from the ledger up to the fork, then from the changed reasoning, then from the model."""

    def __init__(self, job: InterventionJob, caller: Caller) -> None:
        self._job = job
        self._caller = caller
        self._ledger = job.source.answered(job.fork.episode)
        last = max(self._ledger, default=0)
        job.came.turn = last if job.at is None else job.at
        self._asked = 0

    async def __call__(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> Reply:
        at, self._asked = self._asked, self._asked + 1
        if at > self._job.came.turn:
            return await self._caller(messages, tools)
        reply = self._stored(at, messages, tools)
        return await self._changed(messages, tools, reply) if at == self._job.came.turn else reply

    def _stored(self, at: int, messages: Sequence[Message], tools: Sequence[Tool]) -> Reply:
        line, known = self._job.agent.line, self._ledger.get(at)
        if known is None or known.request != line.provider.request(line.model, messages, line.sampling, tools):
            raise self._impossible(
                f"the episode can't be played again to there: call {at + 1} would be another one"
            )
        return read(line.provider, known)

    async def _changed(self, messages: Sequence[Message], tools: Sequence[Tool], reply: Reply) -> Reply:
        tag = self._job.agent.profile.scratchpad
        try:
            begun = Begun(await self._new(reasoning_of(reply, tag)), tag)
            return joined(begun, await self._caller(messages, tools, begun=begun))
        except (CannotIntervene, CannotContinue) as why:
            raise self._impossible(str(why)) from None
        except CallFailed as failure:
            # Not for a wrong address or model: only for a request whose form was refused.
            if failure.trouble is Trouble.REJECTED and failure.received and failure.received.status in (400, 422):
                raise self._impossible(f"the provider does not go on from it: {failure.detail}") from None
            raise

    async def _new(self, reasoning: str) -> str:
        job = self._job
        if job.how.name == "paraphrased":
            return await job.paraphrase(job.key().id(), reasoning)
        pair = self._of_pair() if job.how.name == "swapped" else None
        return changed(reasoning, job.how, job.words, Material(job.wrong, pair))

    def _of_pair(self) -> str | None:
        job = self._job
        known = job.source.answered(job.pair).get(job.came.turn) if job.pair else None
        if known is None:
            return None
        try:
            return reasoning_of(read(job.agent.line.provider, known), job.agent.profile.scratchpad)
        except CannotIntervene:
            return None

    def _impossible(self, why: str) -> CallFailed:
        self._job.came.impossible = why
        return CallFailed(Trouble.REJECTED, f"nothing was asked: {why}")


def reasoning_of(reply: Reply, tag: str) -> str:
    """The words of an answer's reasoning: of its scratchpad, where the agent has one. Raises CannotIntervene."""
    message = with_scratchpad(reply, tag).message if tag else reply.message
    wanted = Visibility.SCRATCHPAD if tag else Visibility.RAW
    pieces = [piece.text for piece in message.reasoning if piece.visibility is wanted and piece.text]
    if pieces:
        return "\n\n".join(pieces)
    seen = [piece.visibility for piece in message.reasoning]
    raise CannotIntervene(next((why for visibility, why in NO_WORDS if visibility in seen), NO_REASONING))


NO_REASONING = "there is no reasoning at that answer"
NO_WORDS = (
    (Visibility.SUMMARY, "the provider sent only a summary of the reasoning, which is not what the model thought"),
    (Visibility.OMITTED, "the provider kept the reasoning to itself"),
    (Visibility.REDACTED, "the provider sent the reasoning encrypted"),
)


def read(provider: Provider, call: Call) -> Reply:
    """A stored answer. Raises CallFailed where it is none."""
    return provider.read(Received(call.status or 200, call.headers, call.response or b""))
