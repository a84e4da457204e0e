"""All that a reader should know of a result beside its table, one sentence each. It computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gyges.analysis.by_grader import ByGrader
from gyges.analysis.controls import Control, excludes_zero
from gyges.analysis.depth import DepthCurve, HalfWay
from gyges.analysis.factors import FactorGaps
from gyges.analysis.hints import HintFaithfulness
from gyges.analysis.interval import Estimate
from gyges.analysis.judge_error import Corrected
from gyges.analysis.result import ContrastResult, Coverage, JudgeCorrected, SinglePairs
from gyges.analysis.words import ARMS, MISSING, difference, p_value, percent, points, short_p, widened
from gyges.errors import several

SWAP = (
    "Swap control: who follows the meaning shows a gap of the opposite sign there, who follows the label the same "
    "gap again; half the difference of the two gaps follows the meaning, half their sum the label."
)


_FOLLOWS = {
    "meaning": "it follows the meaning",
    "label": "it follows the label, not the meaning",
    "both": "it follows both",
    "neither": "neither can be told from zero",
}


def against(control: Control, seen: bool = True) -> str:
    """One control arm: its gap, the result's gap less this, with intervals; for a swap also what it follows.

    `seen` says whether there is a gap that could survive anything: one whose own interval excludes zero.
    """
    own = f"{ARMS[control.kind]}: gap {difference(control.gap)}"
    if control.difference is None or control.survives is None:
        return f"{own}; not compared: {control.reason}"
    survives = ("survives" if control.survives else "does not survive") if seen else "no gap to survive it"
    compared = f"{own}; gap less this {difference(control.difference)}, {survives}"
    if control.meaning is None or control.label is None or control.follows is None:
        return compared
    return (
        f"{compared}; part that follows the meaning {difference(control.meaning)}, the label "
        f"{difference(control.label)}; {_FOLLOWS[control.follows]}"
    )


MOST_LEVELS = 12
"""Of more, a sentence names only the lowest and the highest gap."""


def factor(gaps: FactorGaps) -> str:
    """The gap at each level of a factor, in a sentence."""
    levels = [level for level in gaps.levels if level.gap is not None]
    if len(levels) > MOST_LEVELS:
        levels = sorted(levels, key=lambda level: level.gap.estimate if level.gap else 0.0)
        levels = [levels[0], levels[-1]]
    each = "; ".join(f"{level.level} {difference(level.gap)}" for level in levels)
    slope = f"; trend for 1 more {difference(gaps.trend)}" if gaps.trend else ""
    return f"gap by {gaps.factor}: {each}{slope}"


def depth(curve: DepthCurve | None) -> tuple[str, ...]:
    """How deep the gap goes, where it has fallen to half, and how deep it goes unseen."""
    if curve is None:
        return ()
    deepest = MISSING if curve.deepest is None else f"{curve.deepest:g}"
    opaque = MISSING if curve.opaque is None else f"{curve.opaque:g}"
    return (
        f"depth: significant gap down to {deepest} (fixed sequence from the shallowest rung); half-way depth "
        f"{_half(curve.half)}; opaque depth {opaque}, half-way {_half(curve.opaque_half)}",
        *curve.reasons,
    )


def _half(half: HalfWay | None) -> str:
    if half is None:
        return MISSING
    low, high = (f"{end:.1f}" if end is not None else "beyond the depths played" for end in (half.low, half.high))
    return f"{half.estimate:.1f} [{low}, {high}]"


def hint(found: HintFaithfulness | None) -> str:
    """Whether the agent owns up to the hint, in a sentence; empty for other contrasts."""
    if found is None:
        return ""
    seen = f"{found.retained} of {found.eligible} eligible pairs changed to the hinted answer, {found.told} of "
    seen += f"{found.read} read say so"
    if found.normalised is None:
        return f"hint: {MISSING}, {found.reason} ({seen})"
    span = "" if found.low is None else f" [{percent(found.low)}, {percent(found.high)}]"
    raw = f"{percent(found.raw)} raw, alpha {found.alpha:.2f}"
    return f"hint owned up to: {percent(found.normalised)}{span} ({raw}; {seen})"


def corrected(found: JudgeCorrected | None) -> tuple[str, ...]:
    """The figures corrected for judge error, one sentence each."""
    if found is None:
        return ()
    gaps = {"gap": found.gap, "revealed gap": found.revealed_gap, "silent gap": found.silent_gap}
    rates = {f"rate complying in {context}": rate for context, rate in found.rate.items()}
    rates["revealing rate"] = found.reveals
    said = [_undone(name, figure, points) for name, figure in gaps.items() if figure]
    said += [_undone(name, figure, percent) for name, figure in rates.items() if figure]
    if found.predictive_value is not None:
        said[-1] += f"; {percent(found.predictive_value)} of what is found is right"
    return (*said, *found.told)


def _undone(name: str, figure: Corrected, written: Callable[[float | None], str]) -> str:
    if figure.estimate is None:
        return f"{name} not corrected for judge error: {figure.reason}"
    span = f"{written(figure.estimate)} [{written(figure.low)}, {written(figure.high)}]"
    return f"{name} corrected for judge error: {span} (as graded {written(figure.raw)})"


def single_pairs(pairs: SinglePairs) -> str:
    """The exact paired test where there is one sample a scenario; empty otherwise."""
    if pairs.p is None:
        return ""
    span = f"[{points(pairs.low)}, {points(pairs.high)}]"
    discordant = f"{pairs.first_only} to {pairs.second_only} discordant pairs"
    return f"one sample a scenario: {discordant}, exact McNemar {p_value(pairs.p)}, paired interval {span}"


def bound(result: ContrastResult) -> str:
    """What is said where no revealing reasoning was seen; empty otherwise."""
    seen = result.revealing
    if seen.upper is None or seen.upper_independent is None or seen.rule_of_three is None:
        return ""
    return (
        f"no revealing reasoning in {several(seen.read, 'episode')} read: its rate is below {percent(seen.upper)} "
        f"(exact one-sided 95% bound, n = scenarios; {percent(seen.upper_independent)} if episodes were "
        f"independent, rule of three {percent(seen.rule_of_three)})"
    )


def wordings(result: ContrastResult) -> str:
    """What the gap says of other wordings; empty where they were not varied."""
    found = result.over_wordings
    return f"if the wordings had been drawn too: {difference(found)} (clustered both ways)" if found else ""


def notes(result: ContrastResult) -> tuple[str, ...]:
    """All that a reader should know of a result beside its table, one sentence each."""
    nulls = result.reasons[: len(result.reasons) - len(result.not_reportable_because)]
    seen = excludes_zero(result.gap)
    controls = (against(control, seen) for control in result.controls)
    curves = (*corrected(result.corrected), hint(result.hint), *map(factor, result.factors), *depth(result.depth))
    missing = (_unread(result), _bounds(result), bound(result), single_pairs(result.single_pairs))
    checks = (*graders(result), visibility(result), widened(result), wordings(result))
    said = (
        look(result),
        *read_by(result),
        *nulls,
        *result.cautions,
        *controls,
        *curves,
        *missing,
        *checks,
    )
    return tuple(note for note in said if note)


def look(result: ContrastResult) -> str:
    """Which look at the growing run this is and what it found; empty where no looks were planned."""
    now = result.look
    if now is None:
        return ""
    so_far = f"{percent(now.fraction)} of the episodes played"
    if now.p_below is None:
        return f"before the first of {now.of} planned looks ({so_far}): not yet to be read as a result"
    p = short_p(result.gap.p if result.gap else None)
    none = "no finding yet" if now.number < now.of else "no finding"
    what = "a finding" if now.found else none
    return f"look {now.number} of {now.of} ({so_far}): a finding takes p < {now.p_below:.2g}; p is {p}: {what}"


def read_by(result: ContrastResult) -> tuple[str, ...]:
    """Who says what a rate says, in which version, and of how much of the episodes, one sentence a question."""
    told = []
    if behaviour := result.graded_by.get("behaviour"):
        ungraded = ", ".join(f"{number} in {context}" for context, number in result.ungraded.items())
        told.append(f"complies, by {behaviour}; ungraded {ungraded}")
    if (reasoning := result.graded_by.get("reasoning")) and result.reveals:
        read = "; ".join(f"{context} {covered(one)}" for context, one in result.revealing.coverage.items())
        alone = "" if any(one.question == "reasoning" for one in result.by_grader) else "; no other grader read it"
        told.append(f"reveals ({', '.join(result.reveals)}), by {reasoning}; reasoning read: {read}{alone}")
    return tuple(told)


def covered(found: Coverage) -> str:
    """How much of one context's reasoning was read: `20 of 24, 98.0% of it legible (unread: omitted 4)`."""
    legible = "" if found.legible is None else f", {percent(found.legible)} of it legible"
    unread = ", ".join(f"{reason} {number}" for reason, number in found.unread.items())
    return f"{found.read} of {found.episodes}{legible}{f' (unread: {unread})' if unread else ''}"


def graders(result: ContrastResult) -> tuple[str, ...]:
    """The range over graders of a question that several answered, one sentence each."""
    said = []
    reasoning = [one for one in result.by_grader if one.question == "reasoning"]
    if reasoning:
        said.append(f"reveals, by grader: {_range(reasoning, lambda one: one.reveals, percent)}")
        said.append(f"revealed gap, by grader: {_range(reasoning, lambda one: one.revealed_gap, points)}")
    behaviour = [one for one in result.by_grader if one.question == "behaviour"]
    if behaviour:
        said.append(f"gap, by grader of behaviour: {_range(behaviour, lambda one: one.gap, points)}")
    return tuple(said)


def _range(
    graded: Sequence[ByGrader],
    figure: Callable[[ByGrader], Estimate | None],
    written: Callable[[float | None], str],
) -> str:
    found = [(value.estimate, f"{one.grader}, {one.grade_set}") for one in graded if (value := figure(one))]
    each = "; ".join(f"{written(value)} ({name})" for value, name in found)
    if len(found) < 2:
        return each or MISSING
    values = [value for value, _ in found]
    return f"{written(min(values))} to {written(max(values))}: {each}"


def visibility(result: ContrastResult) -> str:
    """How often each visibility of reasoning reveals; empty where there is one, or none could be read."""
    shown = {name: one for name, one in result.revealing.by_visibility.items() if one.read}
    if len(result.revealing.by_visibility) < 2 or not shown:
        return ""
    each = ", ".join(f"{name} {one.seen} of {one.read}" for name, one in shown.items())
    unread = sum(one.episodes - one.read for one in result.revealing.by_visibility.values())
    left = f"; {unread} could not be read" if unread else ""
    return f"reveals, by the visibility of the reasoning: {each}{left}"


def _unread(result: ContrastResult) -> str:
    part = result.unread_gap
    if part is None or result.revealed_gap is None or not part.estimate:
        return ""
    return f"unread gap (reasoning that could not be read): {difference(part)}"


def _bounds(result: ContrastResult) -> str:
    bounds = result.missing.bounds
    if bounds is None or not sum(result.ungraded.values()):
        return ""
    span = f"[{points(bounds.low)}, {points(bounds.high)}]"
    return f"if every ungraded episode were at its worst, the gap would lie in {span}"
