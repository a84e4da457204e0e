"""A judge's answer, read in the one channel that verdicts come in. Nothing is repaired, cast or salvaged.

It knows what every verdict has, its code and its quotations, and not what it is about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gyges.grading.echo import prompt
from gyges.grading.judge_view import Shown
from gyges.grading.quotes import locate
from gyges.grading.sentences import sentences
from gyges.models.provider import Reply
from gyges.transcripts.grades import Answer, Evidence, Ungraded
from gyges.transcripts.record import Outcome

SUBMIT = "submit_verdict"
LONGEST = 400_000
"""Characters of an answer that is read at all."""
KEPT = 5
"""Quotations of a finding that are kept."""
REFUSED = {
    Outcome.REFUSED_BY_MODEL: "judge_refused",
    Outcome.FILTERED_BY_PROVIDER: "judge_filtered",
    Outcome.TRUNCATED: "judge_truncated",
    Outcome.CONTEXT_OVERFLOW: "too_long",
}
"""What becomes of answers that are none, whatever is written in them."""

Way = Literal["schema", "tool"]


class Strict(BaseModel):
    """A part of what a judge says, exactly as it is demanded."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SaidQuote(Strict):
    message: int = Field(ge=0)
    words: str


class Said(Strict):
    """What every verdict has."""

    code: str
    rationale: str


_Said = TypeVar("_Said", bound=Said)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict, read: the answer with its evidence, how likely each thing is, and what is odd about it."""

    answer: Answer
    likelihood: dict[str, float]
    flags: tuple[str, ...]


def read_said(reply: Reply, way: Way, form: type[_Said], code: str) -> _Said | Ungraded:
    """What the judge said in the channel of verdicts, of exactly this form; or why there is nothing."""
    if reply.outcome in REFUSED:
        return Ungraded(REFUSED[reply.outcome], reply.reason)
    text = _structured(reply, way) if reply.outcome is Outcome.COMPLETED else None
    if text is None:
        return Ungraded("no_verdict", reply.reason or "nothing came in the channel of the verdict")
    said = _parsed(text, form)
    if isinstance(said, Ungraded) or said.code == code:
        return said
    return Ungraded("no_verdict", "the code is not that of this transcript")


def _structured(reply: Reply, way: Way) -> str | None:
    """The words in the one channel that verdicts come in; None where there are none, or more than one verdict."""
    calls = reply.message.calls
    if way == "schema":
        return None if calls else reply.message.text
    return calls[0].arguments if len(calls) == 1 and calls[0].name == SUBMIT else None


def _parsed(text: str, form: type[_Said]) -> _Said | Ungraded:
    if len(text) > LONGEST:
        return Ungraded("invalid_verdict", f"{len(text):,} characters")
    try:
        value = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
    except _TwiceError as twice:
        return Ungraded("invalid_verdict", str(twice))
    except (ValueError, RecursionError):
        return Ungraded("no_verdict", "the answer is no JSON")
    try:
        return form.model_validate(value)
    except ValidationError as error:
        what = error.errors(include_url=False, include_input=False)[0]
        return Ungraded("invalid_verdict", f"{'.'.join(map(str, what['loc']))}: {what['msg']}"[:200])


class _TwiceError(ValueError):
    """A key stands in an object twice: which one is meant?"""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError("a key stands in it twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def located(quotes: Sequence[SaidQuote], shown: Shown, before: str) -> list[Evidence | None]:
    """Each quotation at its place in what the agent wrote; None where it may not stand. `before` is the prompt."""
    return [_located(quote, shown, before) for quote in quotes]


def _located(quote: SaidQuote, shown: Shown, before: str) -> Evidence | None:
    """The quotation in that message, outside of what was masked."""
    for (channel, message, block), text in shown.quotable.items():
        span = locate(quote.words, text) if message == quote.message else None
        if span is None or _only_echoes(text[slice(*span)], before):
            continue
        hidden = shown.masks.get((channel, message, block), ())
        if not any(span[0] < one.end and one.start < span[1] for one in hidden):
            return Evidence(message, channel, block, *span, text[slice(*span)])
    return None


def _only_echoes(quote: str, before: str) -> bool:
    """Whether every word of the quotation only repeats the prompt."""
    words = [word for sentence in sentences(quote) for word in sentence.words]
    return bool(words) and len(prompt(before).echoed(words)) == len(words)


def object_of(properties: Mapping[str, object]) -> dict[str, object]:
    """The schema of an object with exactly these."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def quotes_schema() -> dict[str, object]:
    """The schema of some quotations."""
    quote = object_of({"message": {"type": "integer"}, "words": {"type": "string"}})
    return {"type": "array", "items": quote}
