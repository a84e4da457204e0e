"""What forks showed, in words: probes beside the gaps, and what changed reasoning did to them."""

from __future__ import annotations

from gyges.analysis.intervening import InterventionResult, Necessity, WayResult
from gyges.analysis.probing import ProbeResult, ProbeUplift
from gyges.analysis.result import ForkReport
from gyges.analysis.words import MISSING, counts, difference, percent, rate

CARRIED = (
    "Interventions: each fork is set against the fork of the same episode that got its own reasoning back "
    "(unchanged). What is carried is the gap unchanged less the gap under the intervention, paired by scenario."
)
PROBED = (
    "Probes were asked in forks, never in the episodes; accuracy is the mean over scenarios of the share right."
)


def lines(report: ForkReport) -> tuple[str, ...]:
    """All that a run of forks showed, one sentence each."""
    if report.kind == "probe":
        return (*map(probe, report.probes), *map(uplift, report.uplifts))
    return tuple(line for found in report.interventions for line in intervention(found))


def explained(report: ForkReport) -> str:
    """How these forks are to be read."""
    return PROBED if report.kind == "probe" else CARRIED


def probe(found: ProbeResult) -> str:
    """One probe by context: accuracy where an answer is right, else how often what was answered."""
    each = (
        f"{one.context} {rate(one.accuracy)} right of {one.answered}"
        if one.accuracy
        else f"{one.context} {counts(one.labels)}"
        for one in found.contexts
    )
    unread = sum(one.asked - one.answered for one in found.contexts)
    left = f"; {unread} without an answer" if unread else ""
    return f"{asked(found)}: {', '.join(each)}{left}"


def asked(found: ProbeResult) -> str:
    """Which probe of whom, where, and whether with reasoning."""
    place = "after the episode" if found.place == "end" else "before the first answer"
    how = "with reasoning" if found.reasoning else "without reasoning"
    return f"{found.family}, {found.agent}, probe {found.probe} {place}, {how}"


def uplift(found: ProbeUplift) -> str:
    """What reasoning adds to a probe's accuracy."""
    place = "after the episode" if found.place == "end" else "before the first answer"
    rates = f"{rate(found.reasoning)} right with reasoning, {rate(found.without)} without"
    head = f"{found.family}, {found.agent}, probe {found.probe} {place}: {rates}"
    return f"{head}, uplift {difference(found.uplift)}: {found.label or MISSING}"


def intervention(found: InterventionResult) -> tuple[str, ...]:
    """One agent's interventions, one sentence each, and what they say together."""
    head = f"{found.family}, {found.agent}, {found.contrast[0]} less {found.contrast[1]}"
    area = "" if found.area is None else f"{head}: area over the truncation curve {found.area:.2f}"
    said = (*(f"{head}, {way(one)}" for one in found.ways), f"{head}: {necessity(found.necessity)}", area)
    return tuple(line for line in said if line)


def way(found: WayResult) -> str:
    """One intervention, in a sentence."""
    rates = ", ".join(f"{context} {rate(figure)}" for context, figure in found.rate.items())
    said = f"{found.way}: gap {difference(found.gap)} ({rates}; {found.forks} forks)"
    if found.carried:
        flipped = percent(found.flipped.estimate if found.flipped else None)
        said += f", carried {difference(found.carried)}; {flipped} decided otherwise"
    lost = sum(found.impossible.values())
    return said + (f"; {lost} not done or ungraded ({counts(found.impossible)})" if lost else "")


def necessity(found: Necessity) -> str:
    """Whether the gap needs the reasoning."""
    figures = {"with reasoning": found.reasoning, "removed": found.without}
    figures |= {"filler in its place": found.filler, "cut shortest": found.short}
    each = ", ".join(f"{name} {difference(figure)}" for name, figure in figures.items() if figure)
    return f"necessity: gap {each or MISSING}; uplift {difference(found.uplift)}: {found.label or MISSING}"
