"""The grader that asks models: votes over one episode, in two orders, and twice where the agent speaks to it.

It knows neither the run nor the ledger: whom it may ask, it is given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gyges.grading.addressed import Addressed, Scanner
from gyges.grading.grader import Bench, Judging, View
from gyges.grading.judge_file import Rubric
from gyges.grading.judge_verdict import Verdict, form, read_reply
from gyges.grading.judge_view import Place, Shown, evidence_of, found_addressed, quotable, shown
from gyges.grading.judge_votes import found_in, tally
from gyges.grading.reasoning import GRADED, sent_before, unseen
from gyges.models.provider import CallFailed, Reply, Trouble
from gyges.scenarios.plan import Behaviour
from gyges.scenarios.template import rendered
from gyges.transcripts.grades import Answer, Question, Ungraded
from gyges.transcripts.judged import ADDRESSED, Judged, Order, Reading, Vote
from gyges.transcripts.record import Message

ASKED_AGAIN = frozenset({"no_verdict", "invalid_verdict", "evidence_invalid"})
"""Why a judge is asked once more. What it refused, or had no room for, it is not."""
ROUNDS = 3
"""The one that counts, and two by which flips are counted."""
TROUBLES = {Trouble.FILTERED: "judge_filtered", Trouble.CONTEXT_OVERFLOW: "too_long"}
"""Failures of a call that are about this transcript; all others leave it pending."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """One vote that is to be asked for."""

    judge: str
    reading: Reading
    order: Order
    round: int
    number: int

    @property
    def name(self) -> str:
        return f"{self.judge}/{self.reading}/{self.round}/{self.number}"


@dataclass(frozen=True, slots=True)
class JudgeGrader:
    """A rubric, put to one or several judges. `votes` and `threshold` are the rubric's, or the command's."""

    rubric: Rubric
    scanner: Scanner
    votes: int
    threshold: float

    @property
    def name(self) -> str:
        return f"judge:{self.rubric.name}"

    @property
    def version(self) -> str:
        return f"{self.rubric.sha256[:12]}+{self.scanner.version}"

    @property
    def question(self) -> Question:
        return self.rubric.file.question

    def grade(self, view: View, _behaviour: Behaviour | None, /) -> Answer | Judging:
        if view.outcome not in GRADED:
            return Ungraded(view.outcome.value, view.reason)
        if not quotable(view, self.rubric.file.quotes):
            return unseen(view)
        return partial(self._judged, view)

    async def _judged(self, view: View, bench: Bench) -> tuple[Answer, Judged]:
        found = found_addressed(view, self.scanner)
        sees, quotes = self.rubric.file.sees, self.rubric.file.quotes
        readings: dict[Reading, Shown] = {"whole": shown(view, sees, quotes)}
        if found:
            readings["masked"] = shown(view, sees, quotes, found)
        record = Judged(
            rubric=self.rubric.sha256,
            transcript=readings["whole"].sha256,
            coverage=readings["whole"].coverage,
            votes=(),
            flags=tuple(_addressed_flags(found)),
            addressed=evidence_of(view, found),
        )
        length, most = len(readings["whole"].encoded), self.rubric.file.characters
        if length > most:
            return Ungraded("too_long", f"{length:,} characters; {most:,} are given to a judge at most"), record
        ballots = list(self._ballots(bench, readings))
        before = sent_before(view)
        asked = (self._vote(ballot, readings[ballot.reading], before, bench) for ballot in ballots)
        votes = await _all(list(asked))
        return self._come_to(votes, record, "masked" if found else "whole")

    def _ballots(self, bench: Bench, readings: Mapping[Reading, Shown]) -> Iterator[Ballot]:
        both = self.rubric.file.orders == "both"
        for round_ in range(ROUNDS if bench.again else 1):
            # The repetitions are of the reading that counts.
            for reading in readings if round_ == 0 else [list(readings)[-1]]:
                for judge in bench.judges:
                    for number in range(self.votes):
                        order: Order = "backwards" if both and number % 2 else "forwards"
                        yield Ballot(judge, reading, order, round_, number)

    async def _vote(self, ballot: Ballot, transcript: Shown, before: str, bench: Bench) -> Vote:
        ask, calls = bench.ask(ballot.judge, ballot.name)
        names = list(self.rubric.file.criteria)
        names = names[::-1] if ballot.order == "backwards" else names
        result: Verdict | Ungraded = Ungraded("no_verdict")
        reply: Reply | None = None
        asked = 0
        for asked in (1, 2):
            code = bench.nonce(calls, asked)
            messages = self._messages(
                names, transcript, code, result.reason if isinstance(result, Ungraded) else "", asked
            )
            try:
                reply = await ask(messages, (), form(self.rubric.file, names))
            except CallFailed as failure:
                if failure.trouble not in TROUBLES:
                    raise
                result = Ungraded(TROUBLES[failure.trouble], failure.detail[:200])
                break
            result = read_reply(reply, self.rubric.file, transcript, code, before)
            if not isinstance(result, Ungraded) or result.reason not in ASKED_AGAIN:
                break
        return Vote(
            judge=ballot.judge,
            model=reply.model if reply else "",
            fingerprint=reply.fingerprint if reply else "",
            reading=ballot.reading,
            order=ballot.order,
            round=ballot.round,
            answer=result if isinstance(result, Ungraded) else result.answer,
            likelihood={} if isinstance(result, Ungraded) else result.likelihood,
            flags=() if isinstance(result, Ungraded) else result.flags,
            calls=calls,
            asked=asked,
        )

    def _messages(
        self, names: Sequence[str], transcript: Shown, code: str, problem: str, asked: int
    ) -> list[Message]:
        rubric = self.rubric
        words = {
            "criteria": [(name, *rubric.file.criteria[name].words()) for name in names],
            "names": list(names),
            "code": code,
            "problem": problem,
        }
        said = [
            f"<<{code} begin>>\n{transcript.encoded}\n<<{code} end>>",
            rendered(rubric.after, words).strip(),
            *([rendered(rubric.again, words).strip()] if asked > 1 else []),
        ]
        return [Message("system", rendered(rubric.before, words).strip()), Message("user", "\n\n".join(said))]

    def _come_to(self, votes: Sequence[Vote], record: Judged, counts: Reading) -> tuple[Answer, Judged]:
        def of(round_: int, reading: Reading) -> list[Vote]:
            return [vote for vote in votes if vote.round == round_ and vote.reading == reading]

        answer, flags = tally(of(0, counts), self.rubric, self.threshold)
        again = tuple(
            tally(of(round_, counts), self.rubric, self.threshold)[0]
            for round_ in range(1, ROUNDS)
            if of(round_, counts)
        )
        whole = None
        if counts == "masked":
            whole, _ = tally(of(0, "whole"), self.rubric, self.threshold)
            if found_in(whole) != found_in(answer):
                flags = (*flags, "masking_changes_verdict")
        told = tuple(sorted({*record.flags, *flags}))
        update = {"votes": tuple(votes), "flags": told, "whole": whole, "again": again}
        return answer, record.model_copy(update=update)


def _addressed_flags(found: Mapping[Place, Sequence[Addressed]]) -> Iterator[str]:
    if found:
        yield ADDRESSED
        yield from sorted({f"{ADDRESSED}:{channel}" for channel, _, _ in found})


async def _all(votes: Sequence[Coroutine[object, object, Vote]]) -> list[Vote]:
    """All votes, or the first failure once every other vote has come to its end: what was paid for is kept."""
    results = await asyncio.gather(*votes, return_exceptions=True)
    for one in results:
        if isinstance(one, BaseException):
            raise one
    return [one for one in results if isinstance(one, Vote)]
