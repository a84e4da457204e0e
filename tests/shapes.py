"""The corpus of answers: shapes as providers send them, and what each is to be read as, for every format.

Written from the SDKs' types and from published examples of the servers that speak the formats.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from gyges.models.provider import CallFailed, Provider, Received, Trouble
from gyges.transcripts.record import Outcome, Reasoning, Visibility

ABSENT = Reasoning(Visibility.ABSENT, "")


@dataclass(frozen=True)
class Shape:
    """An answer, and how it is read: by `provider`, or by the one that the module takes where none is given."""

    name: str
    answer: dict[str, object]
    text: str
    reasoning: tuple[Reasoning, ...] = (ABSENT,)
    outcome: Outcome = Outcome.COMPLETED
    reason: str = ""
    provider: Provider | None = None


Garbled = tuple[str, object, Trouble]
"""A name, what is no answer, and the trouble that it is."""


def body(value: object) -> Received:
    return Received(200, (), json.dumps(value).encode())


def by_name(shapes: Sequence[Shape]) -> pytest.MarkDecorator:
    """A test for each shape."""
    return pytest.mark.parametrize("shape", shapes, ids=lambda shape: shape.name)


def by_fault(cases: Sequence[Garbled]) -> pytest.MarkDecorator:
    names = [case[0] for case in cases]
    return pytest.mark.parametrize(("value", "trouble"), [case[1:] for case in cases], ids=names)


def check_read(shape: Shape, provider: Provider) -> None:
    """The shape is read as it says. A count of reasoning tokens that says 0 is kept beside the absence."""
    reply = (shape.provider or provider).read(body(shape.answer))
    counted = (Reasoning(Visibility.ABSENT, "", tokens=reply.usage.reasoning),)
    assert reply.message.text == shape.text
    assert reply.message.reasoning == (counted if shape.reasoning == (ABSENT,) else shape.reasoning)
    assert (reply.outcome, reply.reason) == (shape.outcome, shape.reason)


def check_no_answer(provider: Provider, received: Received, trouble: Trouble) -> None:
    """It is never read as an answer, and its bytes are kept with the failure."""
    with pytest.raises(CallFailed) as caught:
        provider.read(received)
    assert caught.value.trouble is trouble
    assert caught.value.received is received
