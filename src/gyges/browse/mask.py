"""What must not leave this machine, and its place taken in transcripts, grades and pages. It knows no page."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gyges.transcripts.grades import BehaviourShown, Evidence, Grade, ReasoningRead
from gyges.transcripts.record import Episode, Message

MASK = "█"
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 8


def secrets() -> Iterator[str]:
    """What must not leave this machine: its keys, and where on it we are."""
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET:
            yield value
    for folder in (Path.cwd(), Path.home()):
        if len(folder.parts) > 2:  # `/root` or `/home` may be meant by a model; `/home/ann` is ours.
            yield str(folder)


class Mask:
    """Replaces secrets by as many blocks, so that places in a text stay where they are."""

    def __init__(self, secrets: Iterable[str]) -> None:
        longest_first = sorted(set(secrets), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        return self._pattern.sub(lambda found: MASK * len(found[0]), text) if self._pattern else text

    def episode(self, episode: Episode) -> Episode:
        return replace(episode, messages=tuple(map(self._message, episode.messages)))

    def _message(self, message: Message) -> Message:
        reasoning = tuple(
            replace(thought, text=None if thought.text is None else self.text(thought.text))
            for thought in message.reasoning
        )
        calls = tuple(replace(call, arguments=self.text(call.arguments)) for call in message.calls)
        return replace(message, text=self.text(message.text), reasoning=reasoning, calls=calls, replay=None)

    def grade(self, grade: Grade) -> Grade:
        match grade.answer:
            case BehaviourShown():
                answer = replace(grade.answer, evidence=self._evidence(grade.answer.evidence))
                return replace(grade, answer=answer)
            case ReasoningRead():
                found = tuple(replace(one, evidence=self._evidence(one.evidence)) for one in grade.answer.findings)
                return replace(grade, answer=replace(grade.answer, findings=found))
            case _:
                return grade

    def _evidence(self, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
        return tuple(replace(one, quote=self.text(one.quote), decoded=self.text(one.decoded)) for one in evidence)
