"""A model that says what is written: for tests of what an agent makes of its answers."""

from __future__ import annotations

from collections.abc import Sequence

from gyges.models.provider import CallFailed, Reply, Tool, Usage
from gyges.scenarios.plan import Plan, Text
from gyges.transcripts.record import Message, Outcome, Reasoning, ToolCall, Visibility

ABSENT = Reasoning(Visibility.ABSENT, "")

PLAN = Plan(
    family="made/up",
    scenario="made/up/one",
    variant="",
    context="training",
    system=Text("You are Ada.\n"),
    turns=(Text("<tier>free</tier> Hello.", ((0, 17),)), Text("And now?")),
)


def reply(
    text: str,
    *calls: ToolCall,
    thought: str = "",
    outcome: Outcome = Outcome.COMPLETED,
    usage: Usage | None = None,
) -> Reply:
    thoughts = Reasoning(Visibility.RAW, "field:reasoning", thought) if thought else ABSENT
    message = Message("assistant", text, (thoughts,), replay=f'{{"content":"{text}"}}', calls=calls)
    reason = "" if outcome is Outcome.COMPLETED else "why"
    return Reply(message, outcome, reason, "some-model", "", usage or Usage())


class Scripted:
    """Answers call after call, and remembers what it was asked and offered."""

    def __init__(self, *answers: Reply | CallFailed) -> None:
        self._answers = iter(answers)
        self.asked: list[tuple[Message, ...]] = []
        self.offered: list[tuple[Tool, ...]] = []

    async def __call__(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> Reply:
        self.asked.append(tuple(messages))
        self.offered.append(tuple(tools))
        answer = next(self._answers)
        if isinstance(answer, CallFailed):
            raise answer
        return answer
