"""What concerns several results of one report: multiplicity, pooling, the audit, organisms as controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gyges.analysis.controls import Control, excludes_zero
from gyges.analysis.organisms import CheckedFigure, corrected_for, doubt, fault
from gyges.analysis.pooled import benjamini_hochberg, holm, random_effects, usable_error
from gyges.analysis.result import AuditNote, BatchCheck, ContrastResult, PooledGap, Report
from gyges.transcripts.grade_sets import GradeSet
from gyges.transcripts.manifest import Manifest

_Named = tuple[str, tuple[str, str]]
"""Family and contrast: what several agents' results have in common."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a run says of the organisms beside its agents.

    `added` are the names of those that it added by itself; `unchecked` says by family what they can't check, and
    `none` why there are no organisms at all.
    """

    added: frozenset[str] = frozenset()
    unchecked: Mapping[str, str] = field(default_factory=dict)
    none: str = ""
    unjudged: str = ""
    """Why it is not checked whether the grader that figures go by finds what is planted."""


def batch_of(manifest: Manifest, about: GradeSet | None = None) -> Batch:
    """What a run, and the set of grades, say of the organisms beside its agents, and why there are none."""
    if manifest.source == "imported":
        return Batch(none="these transcripts were imported, and no organism went the way that they went")
    none = "" if manifest.organisms else "the run was played without organisms (--no-organisms)"
    return Batch(manifest.added(), manifest.unchecked, none, _unjudged(about) if manifest.added() else "")


def _unjudged(about: GradeSet | None) -> str:
    """Where figures go by a judge that was not asked about organisms; "" where they don't."""
    if about is None or about.organisms:
        return ""
    first = {one.question: one for one in reversed(about.graders)}
    judges = " and ".join(one.name for one in first.values() if one.judges)
    if not judges:
        return ""
    return (
        f"{judges} was not asked about organisms (--no-organisms): whether it finds what is planted is not known"
    )


@dataclass(frozen=True, slots=True)
class Checks:
    """What came of a batch's organisms: the figures, and in words by family and contrast who has none, and why."""

    figures: tuple[CheckedFigure, ...] = ()
    broken: Mapping[_Named, Sequence[str]] = field(default_factory=dict)
    """Organisms that were played, and of which nothing could be graded."""
    unplayed: Mapping[_Named, Sequence[str]] = field(default_factory=dict)

    def joined(self, other: Checks) -> Checks:
        """All that both hold."""
        broken, unplayed = (
            {key: (*mine.get(key, ()), *theirs.get(key, ())) for key in (*mine, *theirs)}
            for mine, theirs in ((self.broken, other.broken), (self.unplayed, other.unplayed))
        )
        return Checks((*self.figures, *other.figures), broken, unplayed)


def together(
    run: str,
    results: Sequence[ContrastResult],
    audit: Sequence[AuditNote],
    checks: Checks,
    batch: Batch | None = None,
) -> Report:
    """The report of a run from its results, with what the audit and the organisms say written into each.

    Organisms that the run added by itself stand apart, and count for nothing but the check. Without `batch` it is
    not known how the rows came to be, and nothing is said of organisms that are not there.
    """
    known = batch or Batch()
    figures = corrected_for(checks.figures)
    agents = _adjusted([result for result in results if result.agent not in known.added])
    others = [result for result in results if result.agent in known.added]
    said = {key: _organisms(key, figures, checks, batch) for key in dict.fromkeys(map(_named, results))}
    judged = [_judged(result, audit, said[_named(result)]) for result in agents]
    check = _check(figures, checks, said, [_judged(result, audit, said[_named(result)]) for result in others])
    return Report(
        run=run,
        contrasts=tuple(judged),
        pooled=tuple(_pooled(judged)),
        audit=tuple(audit),
        check=check if batch or figures else None,
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What the organisms say of a family's contrast: why nothing or the split can't be reported, and doubts."""

    all: tuple[str, ...]
    split: tuple[str, ...]
    doubts: tuple[str, ...]
    unchecked: str


def _organisms(key: _Named, figures: Sequence[CheckedFigure], checks: Checks, batch: Batch | None) -> _Said:
    mine = [one for one in figures if (one.family, one.contrast) == key]
    shown = any(one.part == "gap" and one.planted for one in mine)
    why = "; ".join(checks.unplayed.get(key, ()))
    if batch and not shown:
        why = why or batch.none or batch.unchecked.get(key[0], "") or "no organism with a gap was played there"
    if batch and batch.unjudged:
        why = "; ".join(dict.fromkeys(one for one in (why, batch.unjudged) if one))
    return _Said(
        (*checks.broken.get(key, ()), *(fault(one) for one in mine if one.stops == "all")),
        tuple(fault(one) for one in mine if one.stops == "split"),
        tuple(doubt(one) for one in mine if one.too_small and not one.wrong),
        why,
    )


def _check(
    figures: Sequence[CheckedFigure],
    checks: Checks,
    said: Mapping[_Named, _Said],
    results: Sequence[ContrastResult],
) -> BatchCheck:
    wrong = any(one.wrong for one in figures) or bool(checks.broken)
    missing = (
        f"{family}, {first} less {second}: {one.unchecked}"
        for (family, (first, second)), one in said.items()
        if one.unchecked
    )
    return BatchCheck(
        passed=not wrong if figures or checks.broken else None,
        figures=tuple(figures),
        faults=tuple(dict.fromkeys(line for one in said.values() for line in (*one.all, *one.split))),
        unchecked=tuple(missing),
        results=tuple(results),
    )


def _adjusted(results: Sequence[ContrastResult]) -> list[ContrastResult]:
    """With p adjusted for all gaps of the report that have one."""
    tested = [i for i, result in enumerate(results) if result.gap is not None and result.gap.p is not None]
    p = [gap.p for gap in (results[i].gap for i in tested) if gap is not None and gap.p is not None]
    adjusted = list(results)
    for i, strict, loose in zip(tested, holm(p), benjamini_hochberg(p), strict=True):
        adjusted[i] = results[i].model_copy(update={"p_holm": strict, "p_bh": loose})
    return adjusted


def _named(result: ContrastResult) -> _Named:
    return result.family, result.contrast


def _judged(result: ContrastResult, audit: Sequence[AuditNote], organisms: _Said) -> ContrastResult:
    notes = [note for note in audit if note.agent == result.agent]
    refused = (*(f"audit: {note.text}" for note in notes if note.blocks), *organisms.all)
    missing = () if result.organism or not organisms.unchecked else (f"not checked: {organisms.unchecked}",)
    said = (
        *missing,
        *(f"audit: {note.text}" for note in notes if not note.blocks),
        *organisms.doubts,
        *_controls(result),
    )
    split = organisms.split if result.revealed_gap is not None or result.revealing.read else ()
    return result.model_copy(
        update={
            "reportable": result.reportable and not refused,
            "reasons": (*result.reasons, *(f"{SPLIT}: {one}" for one in split), *refused),
            "not_reportable_because": (*result.not_reportable_because, *refused),
            "split_not_reportable_because": split,
            "cautions": (*result.cautions, *said),
        }
    )


SPLIT = "revealed_gap, silent_gap, revealing.rate are not reportable"


def _controls(result: ContrastResult) -> Iterator[str]:
    seen = excludes_zero(result.gap)
    for control in result.controls:
        if control.survives is None:
            yield f"the gap can't be compared with its {control.kind} control: {control.reason}"
        elif seen and not control.survives:
            yield f"the gap does not survive its {control.kind} control: the interval of the difference holds zero"
        if control.kind != "swap" and excludes_zero(control.gap):
            yield f"the {control.kind} control has a gap of its own, which the signal's meaning can't explain"
        if seen and control.follows in ("label", "both"):
            yield "part of the gap follows the label, whatever it means (swap control)"
        yield from _lost(control)


def _lost(control: Control) -> Iterator[str]:
    for context, lost in control.ungraded.items():
        planned = control.planned[context]
        if 20 * lost > planned:
            yield f"{lost} of {planned} episodes of the {control.kind} control in {context} are ungraded"


def _pooled(results: Sequence[ContrastResult]) -> Iterator[PooledGap]:
    for key in dict.fromkeys((r.agent, r.contrast, r.target) for r in results):
        mine = [r for r in results if (r.agent, r.contrast, r.target) == key]
        if len(mine) > 1:
            yield _pooled_gap(key[0], key[1], mine)


def _pooled_gap(agent: str, contrast: tuple[str, str], results: Sequence[ContrastResult]) -> PooledGap:
    usable = {r.family: r.gap for r in results if r.reportable and r.gap is not None}
    errors = {family: usable_error(gap) for family, gap in usable.items()}
    pooled = random_effects([g.estimate for g in usable.values()], [e for e in errors.values() if e is not None])
    return PooledGap(
        agent=agent,
        contrast=contrast,
        families=tuple(usable),
        left_out=tuple(result.family for result in results if result.family not in usable),
        gap=pooled,
        reason="" if pooled else "fewer than two families have a reportable gap",
    )
