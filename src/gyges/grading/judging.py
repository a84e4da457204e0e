"""Judges, asked about the episodes of a run: through the same ledger, pace, retries and budget as playing.

An answer is in the run's file before anybody reads it, so that a set that stopped is finished without asking it
again. What could not be asked stays pending: no grade is made of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from gyges.agents.profile import Profile
from gyges.batch.calls import Caller, Line
from gyges.batch.ending import Ending, to_the_end
from gyges.batch.flow import Flow, Limits
from gyges.batch.health import Health
from gyges.batch.lines import wire_name
from gyges.batch.play import first, provider_error
from gyges.batch.prices import price_of, read_prices
from gyges.batch.queue import Queue
from gyges.batch.retry import Patience
from gyges.batch.spending import Allowance, Budget, Expected, Spending
from gyges.grading.default import answer_of
from gyges.grading.grader import Ask, Grader, View, blinded
from gyges.grading.judge import JudgeGrader
from gyges.grading.judge_put import Asking
from gyges.grading.judging_cost import Costs, Judgeable, Paid, costs, expected_of
from gyges.grading.looked_over import looked_over
from gyges.models.provider import CallFailed
from gyges.scenarios.plan import Behaviour, Seed
from gyges.transcripts.grade_sets import NOT_JUDGED, GradeSet
from gyges.transcripts.grades import Answer, Grade, Ungraded
from gyges.transcripts.reader import RunReader
from gyges.transcripts.rows import Heading
from gyges.transcripts.store import RunWriter

LEDGER = "judged"
"""How the names of judges' calls begin in a run's ledger."""


@dataclass(frozen=True, slots=True)
class Court:
    """Everything that judging needs: the lines to the judges, the run, and the set that is filled."""

    lines: Mapping[str, Line]
    reader: RunReader
    writer: RunWriter
    about: GradeSet
    behaviours: Mapping[tuple[str, str], Behaviour]
    second: Grader | None = None
    """A grader that needs nobody else, to tell where the judges see it otherwise."""

    def view(self, heading: Heading) -> View:
        return blinded(self.reader.episode(heading.id))

    def behaviour(self, heading: Heading) -> Behaviour | None:
        return self.behaviours.get((heading.key.scenario, heading.key.variant))

    def left_out(self, heading: Heading) -> bool:
        """Whether judges are not to be asked about it."""
        return not self.about.organisms and heading.key.agent in self.reader.manifest.added()


@dataclass(frozen=True, slots=True)
class JudgeJob:
    """One episode to be judged by one rubric."""

    court: Court
    heading: Heading
    grader: JudgeGrader

    def expected(self) -> Expected:
        """What it will use, as far as can be known."""
        court, again = self.court, self.heading.id in self.court.about.again
        asking = self.grader.asking(court.view(self.heading), court.behaviour(self.heading), 1, again)
        return sum((_expected(asking, line) for line in court.lines.values()), Expected())


def _expected(asking: Asking, line: Line) -> Expected:
    judge = Paid(line.spending.price, line.sampling.max_tokens)
    return line.spending.better(expected_of(asking, judge))


@dataclass(frozen=True, slots=True)
class CourtBench:
    """The judges of one episode."""

    court: Court
    grader: str
    episode: str

    @property
    def judges(self) -> Sequence[str]:
        return list(self.court.lines)

    @property
    def again(self) -> bool:
        return self.episode in self.court.about.again

    def ask(self, judge: str, name: str) -> tuple[Ask, str]:
        calls = f"{LEDGER}/{self.court.about.name}/{self.grader}/{self.episode}/{name}"
        known = self.court.reader.answered(calls)
        caller = Caller(self.court.lines[judge], self.court.writer, calls, self._seed().child(calls), known)
        return caller, calls

    def nonce(self, calls: str, number: int) -> str:
        return self._seed().child("nonce", calls, number).hex()

    def _seed(self) -> Seed:
        return Seed(int(self.court.about.secret, 16))


@dataclass(slots=True)
class Session:
    """What came of a session: judged episodes, and those that are pending with the reason of the last failure."""

    judged: int = 0
    pending: int = 0
    reason: str = ""
    spendings: list[Spending] = field(default_factory=list)


@asynccontextmanager
async def judge_lines(
    profiles: Sequence[Profile], limits: Limits, patience: Patience
) -> AsyncIterator[dict[str, Line]]:
    """Open lines to the judges, by the names of their profiles; two names of one model share its pace."""
    from gyges.models.registry import provider

    async with AsyncExitStack() as stack:
        prices = read_prices()
        shared: dict[tuple[str, str], tuple[Flow, Health]] = {}
        lines = {}
        for profile in profiles:
            name, base_url = wire_name(profile, "")
            made, model = provider(name, base_url, stream=profile.stream)
            stack.push_async_callback(made.close)
            flow, health = shared.setdefault((made.base_url, model), (Flow(limits), Health()))
            spending = Spending(price_of(profile.model, prices))
            sampling = profile.sampling.sampling()
            lines[profile.name] = Line(made, model, sampling, patience, flow, health, spending, profile.organism)
        yield lines


async def judge_all(
    court: Court,
    graders: Sequence[JudgeGrader],
    done: frozenset[tuple[str, str]],
    allowance: Allowance,
    at_once: int,
    told: Callable[[int, int], None],
) -> Session:
    """Judge what is not in `done`, the contexts of a pair side by side.

    `told` hears how many of how many are judged. Raises ProviderError, LimitReached or Interrupted where it comes
    to no end; what was answered is kept.
    """
    blocks = _blocks(court, graders, done)
    planned = sum(map(len, blocks))
    session = Session(spendings=[line.spending for line in court.lines.values()])
    queue = Queue(blocks, Budget(allowance, session.spendings), JudgeJob.expected)

    async def worker() -> None:
        while (job := await queue.next()) is not None:
            try:
                await _judge(job)
                session.judged += 1
                told(session.judged, planned)
            except CallFailed as failure:
                if failure.stops_the_run:
                    raise
                session.pending += 1
                session.reason = failure.detail
            queue.done(job)

    async def all_workers() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(worker())
        except* CallFailed as failures:
            raise provider_error(first(failures)) from None

    again = f"finish the set with the same `gyges grade {court.writer.path.stem} ...`"
    await to_the_end(queue, all_workers(), Ending("judgement", "judged", again))
    return session


def _blocks(
    court: Court, graders: Sequence[JudgeGrader], done: frozenset[tuple[str, str]]
) -> list[list[JudgeJob]]:
    """What is left to judge; the episodes of a pair in one block, so that they are judged side by side."""
    blocks: dict[tuple[str, str, str, int], list[JudgeJob]] = {}
    for heading in court.reader.headings():
        key = heading.key
        if court.left_out(heading):
            continue
        for grader in graders:
            if (heading.id, grader.name) not in done:
                block = blocks.setdefault((key.agent, key.scenario, key.variant, key.sample), [])
                block.append(JudgeJob(court, heading, grader))
    return list(blocks.values())


def not_judged(court: Court, graders: Sequence[JudgeGrader], done: frozenset[tuple[str, str]]) -> Iterator[Grade]:
    """Of what judges are not to be asked about: that they were not, so that nobody takes it for an answer."""
    none = Ungraded(NOT_JUDGED, "an organism that the run added to check itself (--no-organisms)")
    for heading in court.reader.headings():
        for grader in graders:
            if court.left_out(heading) and (heading.id, grader.name) not in done:
                yield Grade(heading.id, grader.question, grader.name, grader.version, none)


def costs_of(
    court: Court,
    graders: Sequence[JudgeGrader],
    done: frozenset[tuple[str, str]],
    judges: Sequence[Paid],
    again: Sequence[str],
    again_without: Sequence[str],
) -> Costs:
    """What is left to be asked; `again` are judged twice more, `again_without` where organisms are left out."""
    added = court.reader.manifest.added()

    def asking(heading: Heading, grader: JudgeGrader, again: bool) -> Asking:
        return grader.asking(court.view(heading), court.behaviour(heading), 1, again)

    episodes = (
        Judgeable(heading.id, heading.key.agent in added, partial(asking, heading, grader))
        for heading in court.reader.headings()
        for grader in graders
        if (heading.id, grader.name) not in done
    )
    return costs(episodes, judges, again, again_without)


async def _judge(job: JudgeJob) -> None:
    """Judge one episode and commit what came of it. Raises CallFailed, and nothing is stored but the answers."""
    court, grader = job.court, job.grader
    view, behaviour = court.view(job.heading), court.behaviour(job.heading)
    judging = answer_of(grader, view, behaviour)
    if not callable(judging):
        await court.writer.grades([_grade(job, judging)], court.about.name)
        return
    answer, judged = await judging(CourtBench(court, grader.name, job.heading.id))
    if court.second is not None:
        judged = looked_over(judged, answer, answer_of(court.second, view, behaviour))
    await court.writer.judgement(_grade(job, answer), judged, court.about.name)


def _grade(job: JudgeJob, answer: Answer) -> Grade:
    return Grade(job.heading.id, job.grader.question, job.grader.name, job.grader.version, answer)
