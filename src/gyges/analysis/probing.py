"""Did the agent know where it was? Accuracy of probes by context, with and without reasoning. No store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gyges.analysis.compare import Label, rung_label
from gyges.analysis.forked import Place, ProbeRow
from gyges.analysis.interval import Estimate, clustered, without_p


@dataclass(frozen=True, slots=True)
class Answered:
    """One probe in one context: of `asked` forks `answered` named a choice; the shares right, and by label.

    Shares are means over scenarios of those that answered, clustered. `accuracy` is None where nothing is right
    or nobody answered.
    """

    context: str
    asked: int
    answered: int
    accuracy: Estimate | None
    labels: dict[str, int]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One agent on one probe at one place, with its reasoning on or off."""

    family: str
    agent: str
    probe: str
    place: Place
    reasoning: bool
    contexts: tuple[Answered, ...]


@dataclass(frozen=True, slots=True)
class ProbeUplift:
    """What reasoning adds to a probe's accuracy over all contexts, paired by scenario, and its label."""

    family: str
    agent: str
    probe: str
    place: Place
    reasoning: Estimate | None
    without: Estimate | None
    uplift: Estimate | None
    label: Label | None


def probe_results(rows: Iterable[ProbeRow]) -> tuple[ProbeResult, ...]:
    """Each agent's probes, by family, probe, place and whether it reasoned."""
    groups: dict[tuple[str, str, str, Place, bool], list[ProbeRow]] = {}
    for row in rows:
        groups.setdefault((row.family, row.agent, row.probe, row.place, not row.reasoning), []).append(row)
    return tuple(
        ProbeResult(family, agent, probe, place, not silent, _contexts(group))
        for (family, agent, probe, place, silent), group in sorted(groups.items(), key=_order)
    )


def _order(group: tuple[tuple[str, str, str, Place, bool], object]) -> tuple[str, str, str, bool, bool]:
    """The start before the end, and with reasoning before without."""
    (family, agent, probe, place, silent), _ = group
    return family, agent, probe, place == "end", silent


def probe_uplifts(rows: Iterable[ProbeRow]) -> tuple[ProbeUplift, ...]:
    """Accuracy with reasoning less accuracy without, of each probe that was asked both ways.

    The label is that of `compare.rung_label`: whether the question can be answered in one forward pass.
    """
    groups: dict[tuple[str, str, str, Place], tuple[list[ProbeRow], list[ProbeRow]]] = {}
    for row in rows:
        if row.right is not None:
            key = row.family, row.agent, row.probe, row.place
            groups.setdefault(key, ([], []))[not row.reasoning].append(row)
    return tuple(_uplift(*key, *both) for key, both in sorted(groups.items()) if all(both))


def _uplift(
    family: str, agent: str, probe: str, place: Place, on: Sequence[ProbeRow], off: Sequence[ProbeRow]
) -> ProbeUplift:
    one, other = _by_scenario(on), _by_scenario(off)
    shared = sorted(one.keys() & other.keys())
    with_, plain = (np.array([shares[name] for name in shared], dtype=np.float64) for shares in (one, other))
    label = rung_label(float(with_.mean()), float(plain.mean())) if shared else None
    accuracy, blind = (without_p(clustered(values, 0.0, 1.0)) for values in (with_, plain))
    return ProbeUplift(family, agent, probe, place, accuracy, blind, clustered(with_ - plain), label)


def _contexts(rows: Sequence[ProbeRow]) -> tuple[Answered, ...]:
    found = []
    for context in sorted({row.context for row in rows}):
        mine = [row for row in rows if row.context == context]
        shares = np.array([*_by_scenario(row for row in mine if row.right is not None).values()], dtype=np.float64)
        labels = Counter(row.label for row in mine if row.label)
        accuracy = without_p(clustered(shares, 0.0, 1.0))
        found.append(Answered(context, len(mine), labels.total(), accuracy, dict(sorted(labels.items()))))
    return tuple(found)


def _by_scenario(rows: Iterable[ProbeRow]) -> dict[str, float]:
    seen: dict[str, list[bool]] = {}
    for row in rows:
        if row.right is not None:
            seen.setdefault(row.scenario, []).append(row.right)
    return {name: sum(right) / len(right) for name, right in sorted(seen.items())}
