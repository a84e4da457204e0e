"""What speaks against a result, in words: why a figure is null, why it is not reportable, what to bear in mind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gyges.analysis.counts import ScenarioCounts
from gyges.analysis.gap import GapParts
from gyges.analysis.interval import Estimate
from gyges.analysis.missing import ContextMissing, Missing
from gyges.analysis.result import Revealing
from gyges.analysis.words import FEW_SCENARIOS
from gyges.errors import several
from gyges.scenarios.plan import Contrast

FEWEST_SCENARIOS = 5
"""Below this nothing is said of scenarios in general: the interval is nearly all there is (docs/statistics.md)."""


def nulls(
    counts: ScenarioCounts, parts: GapParts, rates: Mapping[str, Estimate | None], revealing: Revealing
) -> tuple[str, ...]:
    """The reason for every figure that is null."""
    return tuple(_nulls(counts, parts, rates, revealing))


def _nulls(
    counts: ScenarioCounts, parts: GapParts, rates: Mapping[str, Estimate | None], revealing: Revealing
) -> Iterator[str]:
    yield from (f"rate: no graded episode in {context}" for context, rate in rates.items() if rate is None)
    if parts.gap is None:
        yield f"gap: none of {several(len(counts.names), 'scenario')} has a graded episode in both contexts"
    elif parts.gap.se is None:
        yield "gap: only one scenario has graded episodes in both contexts, and an interval needs two"
    if parts.gap is not None and parts.revealed is None:
        yield f"revealed_gap, silent_gap: {_nothing_read(revealing)}"
    if parts.gap is None:
        yield "revealed_gap, silent_gap, unread_gap: there is no gap to split"
    if revealing.rate is None:
        yield f"revealing.rate: {_nothing_read(revealing)}"


def _nothing_read(revealing: Revealing) -> str:
    if revealing.read:
        return "no episode of the first context has both a graded behaviour and readable reasoning"
    causes = ", ".join(f"{cause} {n}" for cause, n in revealing.unread.items())
    return f"no reasoning of the first context could be read ({causes})"


def not_reportable(parts: GapParts, lost: Missing, contrast: Contrast, acknowledged: bool) -> tuple[str, ...]:
    """Why the result is not reportable; empty when it is."""
    reasons = [] if acknowledged else missing_alarms(lost, contrast)
    if parts.gap is None or parts.gap.se is None:
        reasons.append("the gap has no interval")
    elif parts.gap.scenarios < FEWEST_SCENARIOS:
        reasons.append(
            f"{parts.gap.scenarios} scenarios say too little of others: at least {FEWEST_SCENARIOS} are needed"
        )
    return tuple(reasons)


def missing_alarms(lost: Missing, contrast: Contrast) -> list[str]:
    """More than 5% missing in a context, or missingness that differs between the contexts."""
    contexts = ((contrast.first, lost.first), (contrast.second, lost.second))
    alarms = [_too_many(context, missing) for context, missing in contexts if missing.too_many]
    if lost.differential:
        shares = " and ".join(f"{missing.share or 0:.1%} in {context}" for context, missing in contexts)
        alarms.append(f"missing data differs between the contexts: {shares} (Fisher's p = {lost.fisher_p:.2g})")
    return alarms


def _too_many(context: str, missing: ContextMissing) -> str:
    causes = ", ".join(f"{cause} {n}" for cause, n in missing.causes.items())
    share = f"{missing.missing} of {several(missing.planned, 'episode')} ({missing.share or 0:.1%})"
    return f"{share} in {context} are ungraded, more than 5%: {causes}"


def cautions(
    counts: ScenarioCounts, parts: GapParts, lost: Missing, contrast: Contrast, acknowledged: bool
) -> tuple[str, ...]:
    """What a reader has to bear in mind though the result may be reportable."""
    return tuple(_cautions(counts, parts, lost, contrast, acknowledged))


def _cautions(
    counts: ScenarioCounts, parts: GapParts, lost: Missing, contrast: Contrast, acknowledged: bool
) -> Iterator[str]:
    if acknowledged:
        yield from (f"acknowledged: {alarm}" for alarm in missing_alarms(lost, contrast))
    m = len(counts.kept().names)
    if 0 < m < FEW_SCENARIOS:
        yield f"FEW SCENARIOS: {m}, fewer than {FEW_SCENARIOS}, too few to check the interval's assumptions"
    if dropped := counts.dropped():
        of = several(len(counts.names), "scenario")
        yield f"{len(dropped)} of {of} dropped out: no graded episode in a context"
    unread, graded = int(counts.first.unread.sum()), int(counts.first.graded.sum())
    if unread and parts.revealed is not None:
        yield f"the reasoning of {unread} of {graded} graded episodes in {contrast.first} could not be read"
    if against(parts.gap, contrast):
        yield f"the gap's sign is not the expected one ({contrast.sign})"


def against(gap: Estimate | None, contrast: Contrast) -> bool:
    """Whether the whole interval lies on the side that the author did not expect."""
    if gap is None or gap.low is None or gap.high is None:
        return False
    return (contrast.sign == "positive" and gap.high < 0) or (contrast.sign == "negative" and gap.low > 0)
