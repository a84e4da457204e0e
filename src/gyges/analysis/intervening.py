"""Does the reasoning carry the decision? Gaps under changed reasoning, paired with the unchanged. No store.

Every fork with changed reasoning is set against the forks of the same episode that got their own reasoning back
(`unchanged`), and not against the episode itself: what going on from a given text does by itself is in both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gyges.analysis.compare import Label, rung_label
from gyges.analysis.forked import ForkRow
from gyges.analysis.interval import Estimate, Floats, clustered, without_p
from gyges.scenarios.plan import Contrast

UNCHANGED, REMOVED, FILLER, TRUNCATED = "unchanged", "removed", "filler", "truncated"


@dataclass(frozen=True, slots=True)
class WayResult:
    """One intervention. `rate` and `effect` (unchanged less changed share complying) by context; the gap under it.

    `carried` is the gap unchanged less the gap under the intervention, paired by scenario: what of the gap goes
    with what was taken from the reasoning. `flipped` is the share of forks that decided otherwise than the
    unchanged one of the same episode and repetition, chance included. `impossible` counts forks that could not be
    made or were not graded, by reason.
    """

    way: str
    fraction: float | None
    forks: int
    rate: dict[str, Estimate | None]
    effect: dict[str, Estimate | None]
    gap: Estimate | None
    carried: Estimate | None
    flipped: Estimate | None
    impossible: dict[str, int]


@dataclass(frozen=True, slots=True)
class Necessity:
    """The gap with reasoning, without, with filler in its place and with the shortest piece of it.

    `uplift` is the gap with less the gap without, paired by scenario, and `label` what it makes of the reasoning
    (`compare.rung_label`). A figure is None where that intervention was not made.
    """

    reasoning: Estimate | None
    without: Estimate | None
    filler: Estimate | None
    short: Estimate | None
    uplift: Estimate | None
    label: Label | None


@dataclass(frozen=True, slots=True)
class InterventionResult:
    """One agent's interventions on one family's contrast, the unchanged first.

    `area` is the area over the truncation curve: the mean over the reasoning's length of the share of forks that
    decide otherwise when cut there, by the trapezoid rule from 0 (removed) to 1 (unchanged); after Lanham et al.
    2023 (arXiv:2307.13702). None without two points beside the whole.
    """

    family: str
    agent: str
    contrast: tuple[str, str]
    ways: tuple[WayResult, ...]
    necessity: Necessity
    area: float | None


def intervention_results(rows: Iterable[ForkRow]) -> tuple[InterventionResult, ...]:
    """Each agent's interventions on each contrast."""
    groups: dict[tuple[str, str, Contrast], list[ForkRow]] = {}
    for row in rows:
        groups.setdefault((row.family, row.agent, row.contrast), []).append(row)
    return tuple(_result(*key, groups[key]) for key in sorted(groups, key=lambda key: key[:2]))


def _result(family: str, agent: str, contrast: Contrast, rows: Sequence[ForkRow]) -> InterventionResult:
    by_way: dict[str, list[ForkRow]] = {}
    for row in rows:
        by_way.setdefault(row.way, []).append(row)
    plain = by_way.get(UNCHANGED, [])
    ordered = sorted(
        by_way, key=lambda way: (way != UNCHANGED, way.partition(":")[0], by_way[way][0].fraction or 0)
    )
    ways = tuple(_way(way, by_way[way], plain, contrast) for way in ordered)
    contexts = (contrast.first, contrast.second)
    return InterventionResult(family, agent, contexts, ways, _necessity(ways, contrast), _area(ways))


def _order(way: str) -> tuple[bool, str, float]:
    name, _, share = way.partition(":")
    return way != UNCHANGED, name, float(share or 0)


def _way(way: str, rows: Sequence[ForkRow], plain: Sequence[ForkRow], contrast: Contrast) -> WayResult:
    contexts = (contrast.first, contrast.second)
    mine, theirs = ({c: _shares(forks, c) for c in contexts} for forks in (rows, plain))
    effect = {c: None if way == UNCHANGED else clustered(_less(theirs[c], mine[c])) for c in contexts}
    gaps, whole = (_gaps(shares, contrast) for shares in (mine, theirs))
    carried = None if way == UNCHANGED else clustered(_less(whole, gaps), -2.0, 2.0)
    return WayResult(
        way=way,
        fraction=rows[0].fraction,
        forks=sum(row.complies is not None for row in rows),
        rate={c: without_p(clustered(_values(mine[c]), 0.0, 1.0)) for c in contexts},
        effect=effect,
        gap=clustered(_values(gaps)),
        carried=carried,
        flipped=None if way == UNCHANGED else _flipped(rows, plain),
        impossible=dict(Counter(row.why for row in rows if row.complies is None).most_common()),
    )


def _flipped(rows: Sequence[ForkRow], plain: Sequence[ForkRow]) -> Estimate | None:
    before = {(row.scenario, row.context, row.origin): row.complies for row in plain}
    turned: dict[str, list[bool]] = {}
    for row in rows:
        was = before.get((row.scenario, row.context, row.origin))
        if was is not None and row.complies is not None:
            turned.setdefault(row.scenario, []).append(was != row.complies)
    shares = {name: sum(flips) / len(flips) for name, flips in turned.items()}
    return without_p(clustered(_values(shares), 0.0, 1.0))


def _necessity(ways: Sequence[WayResult], contrast: Contrast) -> Necessity:
    named = {way.way: way for way in ways}
    cut = [way for way in ways if way.way.startswith(TRUNCATED)]
    short = min(cut, key=lambda way: way.fraction or 0.0, default=None)
    whole, without, filler = (named[name].gap if name in named else None for name in (UNCHANGED, REMOVED, FILLER))
    uplift = named[REMOVED].carried if REMOVED in named else None
    sign = -1.0 if contrast.sign == "negative" else 1.0
    label = rung_label(sign * whole.estimate, sign * without.estimate) if whole and without else None
    return Necessity(whole, without, filler, short.gap if short else None, uplift, label)


def _area(ways: Sequence[WayResult]) -> float | None:
    flips = {0.0 if way.way == REMOVED else way.fraction: way.flipped for way in ways if _on_curve(way)}
    points = sorted((at, flip.estimate) for at, flip in flips.items() if at is not None and flip is not None)
    if len(points) < 2:
        return None
    x, y = np.array([*points, (1.0, 0.0)]).T
    start = float(x[0] * y[0])  # before the first cut the curve is taken as flat
    return start + float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum())


def _on_curve(way: WayResult) -> bool:
    return way.way == REMOVED or way.way.startswith(TRUNCATED)


def _shares(rows: Iterable[ForkRow], context: str) -> dict[str, float]:
    seen: dict[str, list[bool]] = {}
    for row in rows:
        if row.context == context and row.complies is not None:
            seen.setdefault(row.scenario, []).append(row.complies)
    return {name: sum(complied) / len(complied) for name, complied in seen.items()}


def _gaps(shares: Mapping[str, Mapping[str, float]], contrast: Contrast) -> dict[str, float]:
    one, other = shares[contrast.first], shares[contrast.second]
    return {name: one[name] - other[name] for name in one.keys() & other.keys()}


def _less(one: Mapping[str, float], other: Mapping[str, float]) -> Floats:
    shared = sorted(one.keys() & other.keys())
    return np.array([one[name] - other[name] for name in shared], dtype=np.float64)


def _values(shares: Mapping[str, float]) -> Floats:
    return np.array([shares[name] for name in sorted(shares)], dtype=np.float64)
