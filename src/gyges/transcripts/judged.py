"""The record of a judged grade: every vote, by whom, over what, and what speaks against it. It knows no store."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from gyges.transcripts.grades import Answer, Evidence, ReasoningRead

Reading = Literal["whole", "masked"]
Order = Literal["forwards", "backwards"]

ADDRESSED = "judge_addressed"
"""The flag of an episode in which the agent wrote to whoever grades it."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Vote(_Value):
    """One answer of one judge."""

    judge: str
    """The judge's profile, or `provider/model`."""
    model: str
    """The model's name as the provider gave it; "" where it gave none."""
    fingerprint: str
    reading: Reading
    """`masked`: without the text that is addressed to the grader."""
    order: Order
    """In which order it was shown what it may answer."""
    round: int
    """0 counts; 1 and 2 are the repetitions by which flips are counted."""
    answer: Answer
    likelihood: dict[str, float] = {}
    """For every criterion how likely the judge takes it to be, 0 to 1."""
    flags: tuple[str, ...] = ()
    calls: str
    """The name under which its calls stand in the ledger of the run."""
    asked: int
    """2 where there was no verdict at first and it was asked again: both answers are in the ledger."""
    parts: int = 1
    """In how many parts the transcript was read; the calls about the second stand under `calls`/part-2."""


class Coverage(_Value):
    """How many characters of a channel of the transcript the judge was given, of how many, in parts or at once."""

    channel: Literal["reasoning", "text", "calls", "prompt"]
    given: int
    of: int


class Judged(_Value):
    """How a judged grade came about. Both readings of an episode that addresses its grader are kept."""

    rubric: str
    """SHA-256 of the rubric, its prompts and the code's number."""
    transcript: str
    """SHA-256 of the transcript as it was encoded."""
    coverage: tuple[Coverage, ...]
    votes: tuple[Vote, ...]
    flags: tuple[str, ...] = ()
    """Of the whole: `judge_addressed`, `order_effect`, `judges_disagree`, `offline_disagrees`, ..."""
    addressed: tuple[Evidence, ...] = ()
    """The text that is addressed to the grader."""
    whole: Answer | None = None
    """What the votes over the whole text come to, where the grade is that of the masked text."""
    again: tuple[Answer, ...] = ()
    """What the repetitions come to, of the episodes that were judged again."""


class Judgement(_Value):
    """A judged grade's record with the grade that it belongs to."""

    episode: str
    grader: str
    answer: Answer
    judged: Judged

    def found(self) -> frozenset[str] | None:
        """The findings; None where there is no answer."""
        if not isinstance(self.answer, ReasoningRead):
            return None
        return frozenset(finding.name for finding in self.answer.findings)
