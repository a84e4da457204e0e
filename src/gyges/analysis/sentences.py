"""What concerns several results, or the run as a whole, one sentence each. It computes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from gyges.analysis.compare import Comparison, LabelledRung, Ladder
from gyges.analysis.hints import LeastFaithful
from gyges.analysis.provenance import AgentSeen, Provenance
from gyges.analysis.result import PooledGap, Report
from gyges.analysis.words import MISSING, counts, difference, p_value, percent, points
from gyges.errors import several


def pooled(gap: PooledGap) -> str:
    """One agent's gap over its families, in a sentence."""
    over = f"{gap.agent} over {len(gap.families)} families ({gap.contrast[0]} less {gap.contrast[1]})"
    left = f"; left out, not reportable: {', '.join(gap.left_out)}" if gap.left_out else ""
    if gap.gap is None:
        return f"{over}: {MISSING}, {gap.reason}{left}"
    g = gap.gap
    figure = f"{points(g.estimate)} [{points(g.low)}, {points(g.high)}]"
    apart = f"families differ by {100 * g.tau:.1f} points (sd), I2 {percent(g.i2)}"
    return f"{over}: {figure}, random effects, {p_value(g.p)}; {apart}{left}"


def compared(comparison: Comparison) -> str:
    """One agent's gap less another's, in a sentence."""
    first, second = comparison.contrast
    name = f"{comparison.family}, {first} less {second}: gap of {comparison.one} less that of {comparison.other}"
    if comparison.difference is None or comparison.difference.low is None:
        return f"{name}: {MISSING}, fewer than two scenarios in common"
    return f"{name}: {difference(comparison.difference)}, Holm's {p_value(comparison.p_holm)}"


def ladder(found: Ladder) -> tuple[str, ...]:
    """A ladder with and without reasoning, one sentence a rung."""
    head = f"{found.family}: {found.reasoning} with reasoning, {found.without} without"
    return (head, *map(rung, found.rungs))


def between(report: Report) -> tuple[str, ...]:
    """What compares the agents of a report with each other, one sentence each."""
    return (
        *map(least, report.hints),
        *map(compared, report.comparisons),
        *(line for one in report.ladders for line in ladder(one)),
    )


def rung(found: LabelledRung) -> str:
    """One rung of a ladder with and without reasoning, in a sentence."""
    return (
        f"depth {found.depth:g}: gap with reasoning {difference(found.reasoning)}, without "
        f"{difference(found.without)}, uplift {difference(found.uplift)}: {found.label or MISSING}"
    )


def least(found: LeastFaithful) -> str:
    """The minimum over settings, in a sentence."""
    where = f"{found.family}, {found.agent}: least over {found.settings} kinds of hint"
    return f"{where} is {percent(found.least)} ({found.setting})"


def conduct(told: Provenance | None) -> tuple[str, ...]:
    """What was planned, what ran, what was left out, and who answered and graded, one sentence each."""
    if told is None:
        return ()
    hidden = ", the signal hidden" if told.hide_signal else ""
    arms = f", control arms {', '.join(told.controls)}" if told.controls else ""
    asked = [seen for seen in told.agents if not seen.added]
    beside = [seen for seen in told.agents if seen.added]
    checks = f"{', '.join(seen.agent for seen in beside)}: {_sums(beside)}" if beside else "none"
    planned = (
        f"planned: {several(told.scenarios, 'scenario')} in {several(told.variants, 'variant')}{arms}, "
        f"{several(told.samples, 'sample')}, "
        f"{_sums(asked)}, seed {told.seed}{hidden}; organisms beside them: {checks}"
    )
    left = "; ".join(told.left_out) or "nothing"
    graders = ", ".join(f"{g.question} by {g.grader} {g.version} ({g.answers})" for g in told.graders)
    versions = ", ".join(f"{name} {version}" for name, version in told.versions.items())
    return (
        f"plan {told.plan_sha256} (SHA-256 of the manifest), {told.source} {told.created}: {told.command}",
        planned if told.source == "played" else f"imported: {several(told.played, 'episode')}, none planned here",
        f"left out: {left}",
        *(f"{seen.agent}: {_answered(seen)}" for seen in told.agents),
        f"grades {told.grade_set}: {graders or 'none'}",
        f"versions: {versions}",
    )


def _sums(agents: Sequence[AgentSeen]) -> str:
    planned, played = sum(seen.planned for seen in agents), sum(seen.played for seen in agents)
    return f"{several(planned, 'episode')}, of which {played} ran"


def _answered(seen: AgentSeen) -> str:
    named = counts(seen.models) if seen.models else "not named by the provider"
    prints = f"; fingerprints {counts(seen.fingerprints)}" if seen.fingerprints else ""
    dates = f"; {seen.first} to {seen.last}" if seen.first else ""
    return f"asked for {seen.model or 'no model'}, answered by {named}{prints}{dates}; {counts(seen.outcomes)}"
