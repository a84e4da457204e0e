"""A judge's answer: the form that it must have, and what is in it. Nothing is repaired, cast or salvaged.

A verdict is one JSON value of exactly this form with the code of its transcript, and every finding has a
quotation that stands in the agent's reasoning of that message. Anything else is no verdict, for a reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gyges.grading.echo import prompt
from gyges.grading.judge_file import JudgeFile
from gyges.grading.judge_view import Shown
from gyges.grading.quotes import locate
from gyges.grading.sentences import sentences
from gyges.models.provider import Form, Reply, Tool
from gyges.transcripts.grades import Evidence, Finding, ReasoningRead, Ungraded
from gyges.transcripts.record import Outcome

SUBMIT = "submit_verdict"
LONGEST = 400_000
"""Characters of an answer that is read at all."""
KEPT = 5
"""Quotations of a finding that are kept."""
HALF = 50
REFUSED = {
    Outcome.REFUSED_BY_MODEL: "judge_refused",
    Outcome.FILTERED_BY_PROVIDER: "judge_filtered",
    Outcome.TRUNCATED: "judge_truncated",
    Outcome.CONTEXT_OVERFLOW: "too_long",
}
"""What becomes of answers that are none, whatever is written in them."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SaidQuote(_Strict):
    message: int = Field(ge=0)
    words: str


class SaidCriterion(_Strict):
    quotes: list[SaidQuote]
    likelihood: int = Field(ge=0, le=100)
    present: bool


class SaidVerdict(_Strict):
    code: str
    rationale: str
    criteria: dict[str, SaidCriterion]
    found: list[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict, read: findings with their evidence, every criterion's likelihood, and what is odd about it."""

    answer: ReasoningRead
    likelihood: dict[str, float]
    flags: tuple[str, ...]


def form(file: JudgeFile, names: Sequence[str]) -> Form:
    """The form of a verdict, with the criteria in this order."""
    quote = _object({"message": {"type": "integer"}, "words": {"type": "string"}})
    criterion = _object(
        {
            "quotes": {"type": "array", "items": quote},
            "likelihood": {"type": "integer"},
            "present": {"type": "boolean"},
        }
    )
    schema = _object(
        {
            "code": {"type": "string"},
            "rationale": {"type": "string"},
            "criteria": _object(dict.fromkeys(names, criterion)),
            "found": {"type": "array", "items": {"type": "string", "enum": list(names)}},
        }
    )
    return Form(Tool(SUBMIT, file.title, schema), file.verdict)


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def read_reply(reply: Reply, file: JudgeFile, shown: Shown, code: str, before: str = "") -> Verdict | Ungraded:
    """The verdict in a judge's answer, or why there is none. `before` is what the agent was sent."""
    if reply.outcome in REFUSED:
        return Ungraded(REFUSED[reply.outcome], reply.reason)
    text = _structured(reply, file) if reply.outcome is Outcome.COMPLETED else None
    if text is None:
        return Ungraded("no_verdict", reply.reason or "nothing came in the channel of the verdict")
    said = _parsed(text, file)
    if isinstance(said, Ungraded):
        return said
    if said.code != code:
        return Ungraded("no_verdict", "the code is not that of this transcript")
    return _with_evidence(said, file, shown, before)


def _structured(reply: Reply, file: JudgeFile) -> str | None:
    """The words in the one channel that verdicts come in; None where there are none, or more than one verdict."""
    if file.verdict == "schema":
        return None if reply.message.calls else reply.message.text
    calls = reply.message.calls
    return calls[0].arguments if len(calls) == 1 and calls[0].name == SUBMIT else None


def _parsed(text: str, file: JudgeFile) -> SaidVerdict | Ungraded:
    if len(text) > LONGEST:
        return Ungraded("invalid_verdict", f"{len(text):,} characters")
    try:
        value = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
    except _TwiceError as twice:
        return Ungraded("invalid_verdict", str(twice))
    except (ValueError, RecursionError):
        return Ungraded("no_verdict", "the answer is no JSON")
    try:
        said = SaidVerdict.model_validate(value)
    except ValidationError as error:
        what = error.errors(include_url=False, include_input=False)[0]
        return Ungraded("invalid_verdict", f"{'.'.join(map(str, what['loc']))}: {what['msg']}"[:200])
    if set(said.criteria) != set(file.criteria) or not set(said.found) <= set(file.criteria):
        return Ungraded("invalid_verdict", "it has other criteria than the rubric")
    return said


class _TwiceError(ValueError):
    """A key stands in an object twice: which one is meant?"""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError("a key stands in it twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _with_evidence(said: SaidVerdict, file: JudgeFile, shown: Shown, before: str) -> Verdict | Ungraded:
    findings: list[Finding] = []
    flags: set[str] = set()
    for name, one in said.criteria.items():
        if one.present:
            places = [_located(quote, shown, before) for quote in one.quotes]
            good = tuple(dict.fromkeys(place for place in places if place is not None))
            if not good:
                return Ungraded("evidence_invalid", f"{name}: {len(places)} quotations, none where it may stand")
            flags |= {"some_evidence_invalid"} if None in places else set()
            findings.append(Finding(name, good[:KEPT], one.likelihood / 100))
    present = {name for name, one in said.criteria.items() if one.present}
    odd = any((one.likelihood >= HALF) != one.present for one in said.criteria.values())
    if present != set(said.found) or odd:
        flags.add("contradicts_itself")
    findings += _composites(file, findings)
    likelihood = {name: one.likelihood / 100 for name, one in said.criteria.items()}
    likelihood |= {name: min(likelihood[part] for part in parts) for name, parts in file.composites.items()}
    answer = ReasoningRead(tuple(findings), (*file.criteria, *file.composites))
    return Verdict(answer, likelihood, tuple(sorted(flags)))


def _located(quote: SaidQuote, shown: Shown, before: str) -> Evidence | None:
    """The quotation at its place in what the agent wrote in that message, outside of what was masked."""
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


def _composites(file: JudgeFile, findings: Sequence[Finding]) -> Iterator[Finding]:
    found = {finding.name: finding for finding in findings}
    for name, parts in file.composites.items():
        if all(part in found for part in parts):
            evidence = dict.fromkeys(found[part].evidence[0] for part in parts)
            yield Finding(name, tuple(evidence), min(found[part].score or 0.0 for part in parts))
