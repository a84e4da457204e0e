"""A verdict on criteria: the form that it must have, what is in it, and several about parts of one transcript.

Every finding has a quotation that stands where it may, in that message. Anything else is no verdict, for a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from gyges.grading.judge_file import JudgeFile
from gyges.grading.judge_reply import (
    KEPT,
    SUBMIT,
    Said,
    SaidQuote,
    Strict,
    Verdict,
    located,
    object_of,
    quotes_schema,
    read_said,
)
from gyges.grading.judge_view import Shown
from gyges.models.provider import Form, Reply, Tool
from gyges.transcripts.grades import Finding, ReasoningRead, Ungraded

HALF = 50


class SaidCriterion(Strict):
    quotes: list[SaidQuote]
    likelihood: int = Field(ge=0, le=100)
    present: bool


class SaidVerdict(Said):
    criteria: dict[str, SaidCriterion]
    found: list[str]


def form(file: JudgeFile, names: Sequence[str]) -> Form:
    """The form of a verdict, with the criteria in this order."""
    criterion = object_of(
        {"quotes": quotes_schema(), "likelihood": {"type": "integer"}, "present": {"type": "boolean"}}
    )
    schema = object_of(
        {
            "code": {"type": "string"},
            "rationale": {"type": "string"},
            "criteria": object_of(dict.fromkeys(names, criterion)),
            "found": {"type": "array", "items": {"type": "string", "enum": list(names)}},
        }
    )
    return Form(Tool(SUBMIT, file.title, schema), file.verdict)


def read_reply(reply: Reply, file: JudgeFile, shown: Shown, code: str, before: str = "") -> Verdict | Ungraded:
    """The verdict in a judge's answer, or why there is none. `before` is what the agent was sent."""
    said = read_said(reply, file.verdict, SaidVerdict, code)
    if isinstance(said, Ungraded):
        return said
    if set(said.criteria) != set(file.criteria) or not set(said.found) <= set(file.criteria):
        return Ungraded("invalid_verdict", "it has other criteria than the rubric")
    return _with_evidence(said, file, shown, before)


def merged(file: JudgeFile, verdicts: Sequence[Verdict]) -> Verdict:
    """One vote's verdicts about the parts of a transcript: a criterion is there where it is in any part."""
    found: dict[str, list[Finding]] = {}
    for one in verdicts:
        for finding in one.answer.findings if isinstance(one.answer, ReasoningRead) else ():
            if finding.name in file.criteria:
                found.setdefault(finding.name, []).append(finding)
    likelihood = {name: max(one.likelihood[name] for one in verdicts) for name in file.criteria}
    flags = tuple(sorted({flag for one in verdicts for flag in one.flags}))
    return _verdict(file, [_one(name, found[name]) for name in file.criteria if name in found], likelihood, flags)


def _one(name: str, found: Sequence[Finding]) -> Finding:
    evidence = dict.fromkeys(place for one in found for place in one.evidence)
    return Finding(name, tuple(evidence)[:KEPT], max(one.score or 0.0 for one in found))


def _with_evidence(said: SaidVerdict, file: JudgeFile, shown: Shown, before: str) -> Verdict | Ungraded:
    findings: list[Finding] = []
    flags: set[str] = set()
    for name, one in said.criteria.items():
        if one.present:
            places = located(one.quotes, shown, before)
            good = tuple(dict.fromkeys(place for place in places if place is not None))
            if not good:
                return Ungraded("evidence_invalid", f"{name}: {len(places)} quotations, none where it may stand")
            flags |= {"some_evidence_invalid"} if None in places else set()
            findings.append(Finding(name, good[:KEPT], one.likelihood / 100))
    present = {name for name, one in said.criteria.items() if one.present}
    odd = any((one.likelihood >= HALF) != one.present for one in said.criteria.values())
    if present != set(said.found) or odd:
        flags.add("contradicts_itself")
    likelihood = {name: one.likelihood / 100 for name, one in said.criteria.items()}
    return _verdict(file, findings, likelihood, tuple(sorted(flags)))


def _verdict(
    file: JudgeFile, findings: Sequence[Finding], likelihood: Mapping[str, float], flags: tuple[str, ...]
) -> Verdict:
    """With what the criteria make together."""
    made = {name: min(likelihood[part] for part in parts) for name, parts in file.composites.items()}
    looked_for = (*file.criteria, *file.composites)
    answer = ReasoningRead((*findings, *_composites(file, findings)), looked_for)
    return Verdict(answer, {**likelihood, **made}, flags)


def _composites(file: JudgeFile, findings: Sequence[Finding]) -> Iterator[Finding]:
    found = {finding.name: finding for finding in findings}
    for name, parts in file.composites.items():
        if all(part in found for part in parts):
            evidence = dict.fromkeys(found[part].evidence[0] for part in parts)
            yield Finding(name, tuple(evidence), min(found[part].score or 0.0 for part in parts))
