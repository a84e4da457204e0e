"""The compliance gap and its exact split into revealed, silent and unread parts. It knows counts, not rows.

The estimand is the mean over scenarios of the share that complies in the first context less the share that
complies in the second. The split is an identity in each scenario, so the parts' estimates add up to the gap's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gyges.analysis.counts import ContextCounts, ScenarioCounts
from gyges.analysis.interval import Counts, Estimate, Floats, clustered, zero


@dataclass(frozen=True, slots=True)
class GapParts:
    """The gap and its parts; gap = revealed + silent + unread. None is what can't be computed.

    `revealed` and `silent` are None when no graded episode of the first context had readable reasoning: then
    nothing is known about either, which is another thing than zero.
    """

    gap: Estimate | None
    revealed: Estimate | None
    silent: Estimate | None
    unread: Estimate | None


def differences(counts: ScenarioCounts) -> Floats:
    """Share complying in the first context less the share in the second; shape (scenarios,).

    Every scenario must have a graded episode in both contexts (see `ScenarioCounts.kept`).
    """
    first, second = counts.first, counts.second
    return first.complied / first.graded - second.complied / second.graded


def noise(counts: ScenarioCounts) -> Floats:
    """The sampling variance of each of `differences`, shape (scenarios,): p(1 - p)/(n - 1), both contexts added.

    Unbiased for independent samples; infinite where a context has one sample.
    """
    return _noise(counts.first) + _noise(counts.second)


def part(counts: ScenarioCounts, episodes: Counts, complied: Counts) -> Floats:
    """One part of each scenario's gap: mean over the first context's graded episodes of 1[S] (C - d).

    `episodes` counts those of them in the set S and `complied` the complying ones of S, shape (scenarios,); d is
    the share complying in the second context. With S = "reveals" this is P(R)(P(C|R) - d).
    """
    d = counts.second.complied / counts.second.graded
    return (complied - episodes * d) / counts.first.graded


def split_values(counts: ScenarioCounts) -> tuple[Floats, Floats]:
    """The revealed and the silent part of each scenario's gap, shape (scenarios,); as `differences` wants them."""
    first = counts.first
    revealed = part(counts, first.revealed, first.revealed_complied)
    return revealed, part(counts, first.silent, first.silent_complied)


def _noise(context: ContextCounts) -> Floats:
    share = context.complied / context.graded
    alone = context.graded < 2
    return np.where(alone, np.inf, share * (1 - share) / np.where(alone, 1, context.graded - 1))


def gap(counts: ScenarioCounts) -> Estimate | None:
    """Mean over scenarios of `differences`, clustered by scenario (Miller 2024, arXiv:2411.00640)."""
    return clustered(differences(counts.kept()))


def gap_parts(counts: ScenarioCounts) -> GapParts:
    """The gap with its revealed, silent and unread parts, each with an interval clustered by scenario.

    Within a scenario, with R = the first context's reasoning reveals, C = complies and d = the share complying
    in the second context: gap = P(R)(P(C|R) - d) + P(not R)(P(C|not R) - d), the law of total probability, with
    a third term of the same form for reasoning that could not be read. The split describes; it shows no cause.
    """
    kept = counts.kept()
    first = kept.first
    whole = clustered(differences(kept))
    if not (first.revealed.sum() + first.silent.sum()):
        return GapParts(whole, None, None, whole)
    revealed, silent = map(clustered, split_values(kept))
    if not first.unread.sum():
        return GapParts(whole, revealed, silent, zero(len(kept.names)))
    return GapParts(whole, revealed, silent, clustered(part(kept, first.unread, first.unread_complied)))
