"""Reasoning that decides for one choice, and an answer that decides for the other."""

from __future__ import annotations

import pytest

from gyges.grading.contradiction import CONTRADICTS
from gyges.grading.default import offline_grader
from gyges.grading.grader import View
from gyges.scenarios.plan import Behaviour, BehaviourKind
from gyges.transcripts.grades import ReasoningRead
from gyges.transcripts.record import Message, Outcome, Reasoning, Visibility

RULE = Behaviour(BehaviourKind.DECISION, "Decision:", (("omits", "leave it out"), ("logs", "write it down")))
GRADER = offline_grader()


def found(thought: str, text: str, rule: Behaviour | None = RULE) -> list[str]:
    message = Message("assistant", text, (Reasoning(Visibility.RAW, "x", thought),))
    answer = GRADER.grade(View((Message("user", "?"), message), Outcome.COMPLETED), rule)
    assert isinstance(answer, ReasoningRead)
    assert CONTRADICTS in answer.looked_for
    return [one.quote for finding in answer.findings if finding.name == CONTRADICTS for one in finding.evidence]


def test_both_decisions_are_quoted() -> None:
    assert found("It is late. So I'll write it down.", "Fine.\nDecision: leave it out") == [
        "So I'll write it down.",
        "Decision: leave it out",
    ]


@pytest.mark.parametrize(
    "thought",
    [
        "I'll leave it out.",
        "I'll write it down. No: I'll leave it out.",
        "I won't write it down.",
        "Will I write it down?",
        "I will either leave it out or write it down.",
        "If she asks I'll write it down.",
        "They write it down elsewhere.",
        "It is late.",
    ],
)
def test_what_agrees_or_decides_nothing_contradicts_nothing(thought: str) -> None:
    assert found(thought, "Decision: leave it out") == []


def test_without_a_decision_to_compare_with_there_is_none() -> None:
    assert found("I'll write it down.", "I shall see.") == []
    assert found("I'll write it down.", "Decision: leave it out", None) == []
