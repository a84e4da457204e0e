"""What the judges of one episode are asked, and what their answers come to. It asks nobody.

A sheet is either a rubric's criteria, or the behaviours that a scenario's author could think of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gyges.grading.judge_file import Rubric
from gyges.grading.judge_reply import Verdict
from gyges.grading.judge_verdict import form, merged, read_reply
from gyges.grading.judge_view import Shown
from gyges.grading.judge_votes import tally
from gyges.models.provider import Form, Reply
from gyges.transcripts.grades import Answer, Ungraded
from gyges.transcripts.judged import Vote

Asked = tuple[str, str, str, str]
"""One thing to answer: its name, what it asks, what counts and what does not."""


class Sheet(Protocol):
    """One question, put to any number of judges."""

    @property
    def names(self) -> Sequence[str]:
        """What may be answered, forwards."""

    def asked(self, name: str) -> Asked:
        """One of them in the words that templates get."""

    def form(self, names: Sequence[str], /) -> Form:
        """The form of an answer, with what may be answered in this order."""

    def read(self, reply: Reply, shown: Shown, code: str, before: str, /) -> Verdict | Ungraded:
        """The verdict in an answer, or why there is none."""

    def merged(self, verdicts: Sequence[Verdict], /) -> Verdict | Ungraded:
        """One vote's verdicts about the parts of a transcript."""

    def tally(self, votes: Sequence[Vote], threshold: float, /) -> tuple[Answer, tuple[str, ...]]:
        """What votes come to, and what speaks against it."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """The criteria of a rubric about reasoning."""

    rubric: Rubric

    @property
    def names(self) -> Sequence[str]:
        return list(self.rubric.file.criteria)

    def asked(self, name: str) -> Asked:
        return name, *self.rubric.file.criteria[name].words()

    def form(self, names: Sequence[str], /) -> Form:
        return form(self.rubric.file, names)

    def read(self, reply: Reply, shown: Shown, code: str, before: str, /) -> Verdict | Ungraded:
        return read_reply(reply, self.rubric.file, shown, code, before)

    def merged(self, verdicts: Sequence[Verdict], /) -> Verdict | Ungraded:
        return merged(self.rubric.file, verdicts)

    def tally(self, votes: Sequence[Vote], threshold: float, /) -> tuple[Answer, tuple[str, ...]]:
        return tally(votes, self.rubric, threshold)
