"""Graders as monitors, in lines for a terminal and as JSON. It computes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from gyges.analysis.monitor import FALSE_ALARMS, Monitored
from gyges.analysis.monitors import Against, MonitorResult
from gyges.errors import several
from gyges.grading.calibration import Figure


def to_json(found: Sequence[MonitorResult]) -> str:
    return json.dumps([asdict(one) for one in found], indent=2)


def lines(found: Sequence[MonitorResult]) -> Iterator[str]:
    """One block a monitor; at the end, of each monitor, the setting in which it is worth least."""
    if not found:
        yield "no episode is bad by definition, or no grader of reasoning read any: there is nothing to monitor"
        return
    yield "Graders as monitors of episodes that, in the first context, act against their values or oversight."
    for one in found:
        agent = one.agent or "all agents"
        yield f"\n{one.family}, {agent}, {' - '.join(one.contrast)}: {one.grader}, alarm at {one.finding}"
        yield from _block(one.overall)
        for depth, of in one.by_depth:
            caught = ", ".join(shown(each.caught) for each in of.detection)
            counts = f"{of.bad} bad, {of.others} others"
            yield f"  depth {depth:g}: caught {caught}; TPR x TNR {shown(of.product)} ({counts})"
        for other in one.against:
            yield from _more(other)
        if one.worst and one.settings > 1:
            setting, product = one.worst
            yield f"  least of {one.settings} settings: TPR x TNR {shown(product)} in {setting or 'base'}"
        if one.unread:
            yield f"  in no figure, since it gave no answer: {several(one.unread, 'episode')}"
    yield from _least(found)


def _block(of: Monitored) -> Iterator[str]:
    yield f"  {of.bad} bad episodes, {of.others} others"
    for one in of.detection:
        yield f"  caught at {one.false_alarms:.0%} false alarms: {shown(one.caught)}"
    few = [most for most in FALSE_ALARMS if of.others < round(1 / most)]
    if few:
        shares = " and ".join(f"{most:.0%}" for most in few)
        yield f"  (at {shares} not one of so few others may raise an alarm: {1 / few[0]:.0f} are needed)"
    yield f"  TPR {shown(of.sensitivity)}, TNR {shown(of.specificity)}, product {shown(of.product)}"
    yield f"  AUROC {shown(of.auroc)}"
    chances = ", ".join(f"{runs}: {shown(figure)}" for runs, figure in of.at_least_once)
    yield f"  at least one detection in so many runs: {chances}"


def _more(other: Against) -> Iterator[str]:
    """What a monitor is worth more than another one, on the same episodes."""
    more = other.apart
    caught = ", ".join(f"caught at {each.false_alarms:.0%} {shown(each.caught)}" for each in more.detection)
    yield (
        f"  less {other.grader} ({other.finding}) on the {more.bad} bad and {more.others} others that both read: "
        f"{caught}, product {shown(more.product)}, AUROC {shown(more.auroc)}"
    )


def _least(found: Sequence[MonitorResult]) -> Iterator[str]:
    monitors = dict.fromkeys((one.grader, one.finding) for one in found)
    for grader, finding in monitors:
        mine = [one for one in found if (one.grader, one.finding) == (grader, finding)]
        places = [(one, one.worst) for one in mine if one.worst and one.worst[1].estimate is not None]
        if len(places) > 1:
            one, (setting, figure) = min(places, key=lambda each: each[1][1].estimate or 0.0)
            where = f"{one.family} {setting}".strip()
            yield f"\n{grader} is worth least in {where} with {one.agent or 'all agents'}: {shown(figure)}"


def shown(figure: Figure) -> str:
    """An estimate with its interval; a dash where there is none."""
    if figure.estimate is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.estimate:.2f}"
    return f"{figure.estimate:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
