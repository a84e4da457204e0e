"""What is put to judges about one episode: its readings, in parts, and the messages of each. It asks nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gyges.grading.addressed import Scanner
from gyges.grading.addressed_forms import Addressed
from gyges.grading.grader import View
from gyges.grading.judge_file import Rubric
from gyges.grading.judge_parts import in_parts
from gyges.grading.judge_sheet import Sheet
from gyges.grading.judge_view import Place, Shown, found_addressed, shown
from gyges.grading.reasoning import sent_before
from gyges.scenarios.template import rendered
from gyges.transcripts.grades import Ungraded
from gyges.transcripts.judged import Reading
from gyges.transcripts.record import Message

NO_CODE = "0" * 32
"""As long as the code of a call, where nobody is asked yet."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What judging takes where every answer is a verdict: calls, and the characters that are sent in them."""

    calls: int = 0
    characters: int = 0

    def __add__(self, other: Asking) -> Asking:
        return Asking(self.calls + other.calls, self.characters + other.characters)

    def times(self, number: int) -> Asking:
        return Asking(self.calls * number, self.characters * number)


@dataclass(frozen=True, slots=True)
class Case:
    """One reading of an episode as judges get it: the sheet, the transcript in parts, what the agent was sent."""

    rubric: Rubric
    sheet: Sheet
    shown: Shown
    parts: Sequence[str]
    before: str

    def messages(self, at: int, names: Sequence[str], code: str, problem: str = "") -> list[Message]:
        """What is sent about one part; with a `problem` for the second time."""
        rubric = self.rubric
        words = {
            "criteria": [self.sheet.asked(name) for name in names],
            "names": list(names),
            "code": code,
            "problem": problem,
            "part": at + 1,
            "parts": len(self.parts),
        }
        said = [
            f"<<{code} begin>>\n{self.parts[at]}\n<<{code} end>>",
            rendered(rubric.after, words).strip(),
            *([rendered(rubric.again, words).strip()] if problem else []),
        ]
        return [Message("system", rendered(rubric.before, words).strip()), Message("user", "\n\n".join(said))]

    def asking(self) -> Asking:
        """What one vote takes, the form of the answer included."""
        names, parts = self.sheet.names, len(self.parts)
        told = sum(len(one.text) for one in self.messages(0, names, NO_CODE)) - len(self.parts[0])
        form = len(json.dumps(self.sheet.form(names).tool.parameters))
        return Asking(parts, parts * (told + form) + sum(map(len, self.parts)))


@dataclass(frozen=True, slots=True)
class Put:
    """The readings of an episode; `refused` where it is too long for any judge."""

    cases: Mapping[Reading, Case]
    found: Mapping[Place, tuple[Addressed, ...]]
    """Where the agent speaks to its grader."""
    refused: Ungraded | None = None

    @property
    def counts(self) -> Reading:
        """The reading that is the grade."""
        return "masked" if self.found else "whole"


def put(rubric: Rubric, scanner: Scanner, view: View, sheet: Sheet) -> Put:
    """The episode as it is, and where the agent speaks to its grader also with that masked."""
    sees, quotes = rubric.file.sees, rubric.file.quotes
    whole, refused = _parted(Case(rubric, sheet, shown(view, sees, quotes), (), sent_before(view)))
    if refused:
        return Put({"whole": whole}, {}, refused)
    cases: dict[Reading, Case] = {"whole": whole}
    if found := found_addressed(view, scanner):
        # What is masked is hardly ever longer than what it masks: the limit is for the whole.
        cases["masked"], _ = _parted(replace(whole, shown=shown(view, sees, quotes, found)))
    return Put(cases, found)


def _parted(case: Case) -> tuple[Case, Ungraded | None]:
    """The case in as many parts as it needs; where these are too many, why nobody is asked."""
    most, limit = case.rubric.file.characters, case.rubric.file.parts
    told = f"{limit} parts of {most:,} characters are given to a judge at most"
    length = sum(len(piece.text) for piece in case.shown.pieces)
    if length > limit * most:
        return case, Ungraded("too_long", f"{length:,} characters; {told}")
    parts = in_parts(case.shown.pieces, most)
    refused = Ungraded("too_long", f"{len(parts)} parts; {told}") if len(parts) > limit else None
    return replace(case, parts=parts), refused
