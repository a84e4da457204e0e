"""What the plain form of a transcript can't say about an episode, beside it under the key `gyges`.

With it a line says exactly the episode that was exported: its variant, outcome and times, where the signal stands,
and each piece of reasoning with its visibility. Other tools need not read it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError, field_validator

from gyges.scenarios.plan import Behaviour, Contrast
from gyges.scenarios.text import Text
from gyges.scenarios.world import Change
from gyges.transcripts.record import (
    Episode,
    Fork,
    Message,
    Outcome,
    Reasoning,
    Role,
    ToolCall,
    ToolResult,
    Visibility,
)

_FORK: TypeAdapter[Fork | None] = TypeAdapter(Fork | None)
_BEHAVIOUR: TypeAdapter[Behaviour | None] = TypeAdapter(Behaviour | None)
_CONTRASTS: TypeAdapter[tuple[Contrast, ...]] = TypeAdapter(tuple[Contrast, ...])


@dataclass(frozen=True, slots=True)
class Declared:
    """What the scenario of an episode declared: how its behaviour is judged, and the contrasts of its family."""

    behaviour: Behaviour | None = None
    contrasts: tuple[Contrast, ...] = ()


NOTHING_DECLARED = Declared()


class Details(BaseModel):
    """Of an episode. Raises ValidationError for anything unknown or of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int = Field(default=1, ge=1, le=1)
    family: str
    variant: str
    outcome: Outcome = Field(strict=False)
    reason: str
    started: float
    ended: float
    model: str
    fork: dict[str, JsonValue] | None = None
    behaviour: dict[str, JsonValue] | None = None
    contrasts: list[JsonValue] = []

    @field_validator("fork")
    @classmethod
    def _is_fork(cls, value: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        _FORK.validate_python(value)
        return value

    @field_validator("behaviour")
    @classmethod
    def _is_behaviour(cls, value: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        _BEHAVIOUR.validate_python(value)
        return value

    @field_validator("contrasts")
    @classmethod
    def _are_contrasts(cls, value: list[JsonValue]) -> list[JsonValue]:
        _CONTRASTS.validate_python(value)
        return value

    def declared(self) -> Declared:
        """What the scenario declared."""
        return Declared(_BEHAVIOUR.validate_python(self.behaviour), _CONTRASTS.validate_python(self.contrasts))

    def left(self) -> Fork | None:
        """The fork that the episode is."""
        return _FORK.validate_python(self.fork)

    @classmethod
    def of(cls, episode: Episode, declared: Declared = NOTHING_DECLARED) -> Details:
        return cls(
            family=episode.family,
            variant=episode.key.variant,
            outcome=episode.outcome,
            reason=episode.reason,
            started=episode.started,
            ended=episode.ended,
            model=episode.model,
            # As JSON: tuples are lists.
            fork=json.loads(json.dumps(asdict(episode.fork))) if episode.fork else None,
            behaviour=_BEHAVIOUR.dump_python(declared.behaviour, mode="json"),
            contrasts=_CONTRASTS.dump_python(declared.contrasts, mode="json"),
        )


class Thought(BaseModel):
    """One piece of reasoning."""

    model_config = ConfigDict(extra="forbid", strict=True)

    visibility: Visibility = Field(strict=False)
    source: str
    text: str | None = None
    tokens: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    closed: bool = True

    def reasoning(self) -> Reasoning:
        return Reasoning(self.visibility, self.source, self.text, self.tokens, self.closed)


class Called(BaseModel):
    """One tool call."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    name: str
    arguments: str


class Answered(BaseModel):
    """What a tool's message answers."""

    model_config = ConfigDict(extra="forbid", strict=True)

    call: str
    failed: bool = False


class Stands(BaseModel):
    """A text in a simulated world."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str
    signal: list[Annotated[tuple[int, int], Field(strict=False)]] = []

    @classmethod
    def of(cls, text: Text | None) -> Stands | None:
        return cls(text=text.text, signal=list(text.signal)) if text else None


class Changed(BaseModel):
    """A place of a simulated world, before and after."""

    model_config = ConfigDict(extra="forbid", strict=True)

    place: str
    before: Stands | None = None
    after: Stands | None = None

    def change(self) -> Change:
        before, after = (Text(one.text, tuple(one.signal)) if one else None for one in (self.before, self.after))
        return Change(self.place, before, after)


class Said(BaseModel):
    """Of a message."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reasoning: list[Thought] = []
    signal: list[Annotated[tuple[int, int], Field(strict=False)]] = []
    replay: str | None = None
    calls: list[Called] = []
    result: Answered | None = None
    changes: list[Changed] = []
    notes: list[str] = []

    @classmethod
    def of(cls, message: Message) -> Said:
        return cls(
            reasoning=[
                Thought(visibility=r.visibility, source=r.source, text=r.text, tokens=r.tokens, closed=r.closed)
                for r in message.reasoning
            ],
            signal=list(message.signal),
            replay=message.replay,
            calls=[Called(id=call.id, name=call.name, arguments=call.arguments) for call in message.calls],
            result=Answered(call=message.result.call, failed=message.result.failed) if message.result else None,
            changes=[
                Changed(place=one.place, before=Stands.of(one.before), after=Stands.of(one.after))
                for one in message.changes
            ],
            notes=list(message.notes),
        )

    def message(self, role: Role, text: str) -> Message:
        reasoning = tuple(one.reasoning() for one in self.reasoning)
        calls = tuple(ToolCall(call.id, call.name, call.arguments) for call in self.calls)
        result = ToolResult(self.result.call, self.result.failed) if self.result else None
        changes = tuple(one.change() for one in self.changes)
        said = (reasoning, tuple(self.signal), self.replay, calls, result, changes, tuple(self.notes))
        return Message(role, text, *said)


def first_fault(error: ValidationError) -> str:
    """The first thing that is wrong, and where under `gyges` it stands."""
    fault = error.errors(include_url=False)[0]
    place = ".".join(str(step) for step in ("gyges", *fault["loc"]))
    return f"{place}: {fault['msg'].lower()}"
