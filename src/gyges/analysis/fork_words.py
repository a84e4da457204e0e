"""What forks showed, as tables in words: probes beside the gaps, and what changed reasoning did to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gyges.analysis.intervening import InterventionResult, Necessity, WayResult
from gyges.analysis.probing import ProbeResult, ProbeUplift
from gyges.analysis.result import ForkReport
from gyges.analysis.words import MISSING, counts, difference, percent, rate

CARRIED = (
    "Each fork is set against the fork of the same episode that got its own reasoning back (unchanged). Carried "
    "is the gap unchanged less the gap under the intervention, paired by scenario: what of the gap goes with what "
    "was taken from the reasoning. Otherwise is the share of forks that decided otherwise, chance included."
)
PROBED = (
    "Probes were asked in forks, never in the episodes: at the start is before the first answer, at the end after "
    "the last. Accuracy is the mean over scenarios of the share of answers that are right; uplift is accuracy "
    "with reasoning less accuracy without, paired by scenario."
)

AGENT = "agent"
"""The head of the column of agents."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of words, and what stands below it, one sentence each."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def grids(report: ForkReport) -> tuple[Grid, ...]:
    """All that a run of forks showed."""
    return _probed(report) if report.kind == "probe" else tuple(map(_intervened, report.interventions))


def explained(report: ForkReport) -> str:
    """How these forks are to be read."""
    return PROBED if report.kind == "probe" else CARRIED


def _probed(report: ForkReport) -> tuple[Grid, ...]:
    families = dict.fromkeys(found.family for found in report.probes)
    return tuple(_probes(family, report) for family in families)


def _probes(family: str, report: ForkReport) -> Grid:
    mine = [found for found in report.probes if found.family == family]
    contexts = tuple(dict.fromkeys(one.context for found in mine for one in found.contexts))
    return Grid(
        title=f"{family}: did the agent know where it was? Share right, by context",
        heads=(AGENT, "probe", "asked at", "reasoning", *contexts, "times"),
        rows=tuple(_probe(found, contexts) for found in mine),
        notes=tuple(_uplift(found) for found in report.uplifts if found.family == family),
    )


def _probe(found: ProbeResult, contexts: Sequence[str]) -> tuple[str, ...]:
    by_context = {one.context: one for one in found.contexts}
    cells = (by_context.get(context) for context in contexts)
    shown = (
        MISSING if one is None else rate(one.accuracy) if one.accuracy else counts(one.labels) for one in cells
    )
    asked, answered = sum(one.asked for one in found.contexts), sum(one.answered for one in found.contexts)
    unread = "" if answered == asked else f", {asked - answered} unanswered"
    thinking = "on" if found.reasoning else "off"
    return found.agent, found.probe, _place(found), thinking, *shown, f"{asked}{unread}"


def _place(found: ProbeResult | ProbeUplift) -> str:
    return "the end" if found.place == "end" else "the start"


def _uplift(found: ProbeUplift) -> str:
    asked = f"{found.agent}, {found.probe} at {_place(found)}"
    return f"{asked}: uplift {difference(found.uplift)}: {found.label or MISSING}"


def _intervened(found: InterventionResult) -> Grid:
    first, second = found.contrast
    return Grid(
        title=f"{found.family}, {found.agent}: does its reasoning carry the decision? Share complying, by context",
        heads=(
            "reasoning",
            first,
            second,
            "gap",
            "carried",
            "otherwise",
            "forks",
        ),
        rows=tuple(_way(way) for way in found.ways if way.forks),
        notes=tuple(_below(found)),
    )


def _way(found: WayResult) -> tuple[str, ...]:
    rates = (percent(figure.estimate if figure else None) for figure in found.rate.values())
    carried = difference(found.carried) if found.carried else ""
    flipped = percent(found.flipped.estimate) if found.flipped else ""
    return found.way, *rates, difference(found.gap), carried, flipped, str(found.forks)


def _below(found: InterventionResult) -> Iterator[str]:
    if any(way.forks for way in found.ways):
        yield f"necessity: {necessity(found.necessity)}"
    if found.area is not None:
        yield f"area over the truncation curve: {found.area:.2f}"
    lost: Counter[str] = Counter()
    for way in found.ways:
        lost.update(way.impossible)
    yield from (f"{number} forks not made or not graded: {why}" for why, number in lost.most_common())


def necessity(found: Necessity) -> str:
    """Whether the gap needs the reasoning."""
    figures = {"with reasoning": found.reasoning, "removed": found.without}
    figures |= {"filler in its place": found.filler, "cut shortest": found.short}
    each = ", ".join(f"{name} {difference(figure)}" for name, figure in figures.items() if figure)
    if found.without is None:
        return f"gap {each or MISSING}; no label without the reasoning removed"
    return f"gap {each}; uplift {difference(found.uplift)}: {found.label or MISSING}"
