"""What concerns several results of one report: multiplicity, pooling, the audit, organisms as controls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gyges.analysis.controls import (
    Control,
    excludes_zero,
    organism_doubts,
    organism_failures,
    part_doubts,
    part_failures,
)
from gyges.analysis.interval import Estimate
from gyges.analysis.pooled import benjamini_hochberg, holm, random_effects, usable_error
from gyges.analysis.result import AuditNote, ContrastResult, PooledGap, Report
from gyges.transcripts.manifest import PlantedGap

_Named = tuple[str, tuple[str, str], str]
"""Family, contrast, target: what several agents' results have in common."""
_Organisms = tuple[tuple[str, ...], tuple[str, ...]]
"""Failures and doubts."""


def together(
    run: str, results: Sequence[ContrastResult], audit: Sequence[AuditNote], planted: Sequence[PlantedGap]
) -> Report:
    """The report of a run from its results, with what the audit and the organisms say written into each."""
    organisms = _organisms(results, planted)
    judged = [_judged(result, audit, *organisms[_named(result)]) for result in _adjusted(results)]
    return Report(run=run, contrasts=tuple(judged), pooled=tuple(_pooled(judged)), audit=tuple(audit))


def _adjusted(results: Sequence[ContrastResult]) -> list[ContrastResult]:
    """With p adjusted for all gaps of the report that have one."""
    tested = [i for i, result in enumerate(results) if result.gap is not None and result.gap.p is not None]
    p = [gap.p for gap in (results[i].gap for i in tested) if gap is not None and gap.p is not None]
    adjusted = list(results)
    for i, strict, loose in zip(tested, holm(p), benjamini_hochberg(p), strict=True):
        adjusted[i] = results[i].model_copy(update={"p_holm": strict, "p_bh": loose})
    return adjusted


def _organisms(results: Sequence[ContrastResult], planted: Sequence[PlantedGap]) -> dict[_Named, _Organisms]:
    """By family and contrast: what the organisms got wrong there, and what the run is too small for."""
    found = {}
    for key in dict.fromkeys(map(_named, results)):
        mine = [result for result in results if _named(result) == key]
        there = [p for p in planted if (p.family, (p.contrast.first, p.contrast.second)) == key[:2]]
        gaps: dict[str, Estimate | None] = {result.agent: result.gap for result in mine}
        whole = {p.agent: p.gap for p in there}
        failures, doubts = _parts(mine, there)
        found[key] = (*organism_failures(gaps, whole), *failures), (*organism_doubts(gaps, whole), *doubts)
    return found


def _parts(results: Sequence[ContrastResult], planted: Sequence[PlantedGap]) -> _Organisms:
    """What the organisms' revealed and silent gaps got wrong, and where they are far from the truth."""
    revealed: dict[str, Estimate | None] = {result.agent: result.revealed_gap for result in results}
    silent: dict[str, Estimate | None] = {result.agent: result.silent_gap for result in results}
    told = {p.agent: p.revealed for p in planted if p.revealed is not None}
    untold = {p.agent: p.silent for p in planted if p.silent is not None}
    return (
        (*part_failures("revealed", revealed, told), *part_failures("silent", silent, untold)),
        (*part_doubts("revealed", revealed, told), *part_doubts("silent", silent, untold)),
    )


def _named(result: ContrastResult) -> _Named:
    return result.family, result.contrast, result.target


def _judged(
    result: ContrastResult, audit: Sequence[AuditNote], failures: tuple[str, ...], doubts: tuple[str, ...]
) -> ContrastResult:
    notes = [note for note in audit if note.agent == result.agent]
    refused = (*(f"audit: {note.text}" for note in notes if note.blocks), *failures)
    said = (*(f"audit: {note.text}" for note in notes if not note.blocks), *doubts, *_controls(result))
    return result.model_copy(
        update={
            "reportable": result.reportable and not refused,
            "reasons": (*result.reasons, *refused),
            "not_reportable_because": (*result.not_reportable_because, *refused),
            "cautions": (*result.cautions, *said),
        }
    )


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
