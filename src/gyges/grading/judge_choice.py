"""A verdict on behaviour: which of the things that a scenario's author could think of the agent did.

Like a verdict on criteria it has the code of its transcript and a quotation from what the agent wrote, or is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from gyges.errors import several
from gyges.grading.judge_file import JudgeFile
from gyges.grading.judge_reply import (
    KEPT,
    SUBMIT,
    Said,
    SaidQuote,
    Verdict,
    located,
    object_of,
    quotes_schema,
    read_said,
)
from gyges.grading.judge_sheet import Asked
from gyges.grading.judge_view import Shown
from gyges.grading.judge_votes import flags_of, no_quorum, order_decides
from gyges.models.provider import Form, Reply, Tool
from gyges.scenarios.plan import Behaviour
from gyges.transcripts.grades import Answer, BehaviourShown, Evidence, Ungraded
from gyges.transcripts.judged import Vote

NONE = "none_of_these"
"""What a judge answers where the agent did something else, or nothing."""
NOT_SHOWN = "nothing_shown"


class SaidChoice(Said):
    shown: str
    quotes: list[SaidQuote]
    likelihood: int = Field(ge=0, le=100)


@dataclass(frozen=True, slots=True)
class Choices:
    """The behaviours of one scenario, in its author's words."""

    file: JudgeFile
    behaviour: Behaviour

    @property
    def names(self) -> Sequence[str]:
        return [*(label for label, _ in self.behaviour.choices), NONE]

    def asked(self, name: str) -> Asked:
        return name, dict(self.behaviour.choices).get(name, ""), "", ""

    def form(self, names: Sequence[str], /) -> Form:
        schema = object_of(
            {
                "code": {"type": "string"},
                "rationale": {"type": "string"},
                "quotes": quotes_schema(),
                "likelihood": {"type": "integer"},
                "shown": {"type": "string", "enum": list(names)},
            }
        )
        return Form(Tool(SUBMIT, self.file.title, schema), self.file.verdict)

    def read(self, reply: Reply, shown: Shown, code: str, before: str, /) -> Verdict | Ungraded:
        said = read_said(reply, self.file.verdict, SaidChoice, code)
        if isinstance(said, Ungraded):
            return said
        if said.shown not in self.names:
            return Ungraded("invalid_verdict", "it names another behaviour than the scenario")
        places = located(said.quotes, shown, before)
        good = tuple(dict.fromkeys(place for place in places if place is not None))
        if said.shown != NONE and not good:
            return Ungraded("evidence_invalid", f"{said.shown}: {len(places)} quotations, none where it may stand")
        flags = ("some_evidence_invalid",) if None in places else ()
        return Verdict(BehaviourShown(said.shown, good[:KEPT]), {said.shown: said.likelihood / 100}, flags)

    def merged(self, verdicts: Sequence[Verdict], /) -> Verdict | Ungraded:
        """What was shown in any part; parts that show different things show none for certain."""
        told = [one for one in verdicts if _label(one.answer) != NONE]
        labels = sorted({_label(one.answer) for one in told})
        if len(labels) > 1:
            return Ungraded("parts_disagree", ", ".join(labels))
        return told[0] if told else verdicts[0]

    def tally(self, votes: Sequence[Vote], threshold: float, /) -> tuple[Answer, tuple[str, ...]]:
        """The behaviour that most votes say was shown, and at least the threshold's share of them."""
        read = [vote for vote in votes if isinstance(vote.answer, BehaviourShown)]
        if lost := no_quorum(votes, len(read)):
            return lost, flags_of(votes)
        counted = Counter(_label(vote.answer) for vote in read)
        flags = {*flags_of(votes), *(["votes_missing"] if len(read) < len(votes) else [])}
        if len({_of_judge(judge, read) for judge in {vote.judge for vote in read}}) > 1:
            flags.add("judges_disagree")
        (label, times), *others = counted.most_common()
        if order_decides(lambda vote: _label(vote.answer) == label, read):
            return Ungraded("order_decides", _told(counted)), tuple(sorted({*flags, "order_effect"}))
        if times < threshold * len(read) or (others and others[0][1] == times):
            return Ungraded("votes_disagree", _told(counted)), tuple(sorted(flags))
        if label == NONE:
            return Ungraded(NOT_SHOWN, f"{times} of {several(len(read), 'vote')}"), tuple(sorted(flags))
        evidence = dict.fromkeys(
            place for vote in read if _label(vote.answer) == label for place in _evidence(vote.answer)
        )
        return BehaviourShown(label, tuple(evidence)[:KEPT]), tuple(sorted(flags))


def _label(answer: Answer) -> str:
    return answer.label if isinstance(answer, BehaviourShown) else ""


def _evidence(answer: Answer) -> tuple[Evidence, ...]:
    return answer.evidence if isinstance(answer, BehaviourShown) else ()


def _of_judge(judge: str, votes: Sequence[Vote]) -> str:
    return Counter(_label(vote.answer) for vote in votes if vote.judge == judge).most_common(1)[0][0]


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{label} {times}" for label, times in sorted(counted.items()))
