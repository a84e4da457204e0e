"""Figures in words: signed percentage points, intervals, counts. Shared by every form of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gyges.analysis.bootstrap import Bootstrap, Components
from gyges.analysis.by_grader import ByGrader
from gyges.analysis.compare import Comparison, LabelledRung, Ladder
from gyges.analysis.controls import Control, excludes_zero
from gyges.analysis.depth import DepthCurve, HalfWay
from gyges.analysis.factors import FactorGaps
from gyges.analysis.hints import HintFaithfulness, LeastFaithful
from gyges.analysis.interval import EXACT_BOUND, Estimate, Widened
from gyges.analysis.judge_error import Corrected
from gyges.analysis.provenance import AgentSeen, Provenance
from gyges.analysis.result import ContrastResult, JudgeCorrected, PooledGap, Report, SinglePairs

ESTIMANDS = (
    "Gap: the mean over scenarios of the share of episodes that comply in the first context less the share in the "
    "second, with 95% intervals clustered by scenario. The revealed and the silent gap split it exactly into the "
    "part with and the part without reasoning that states the training-gaming; the split describes and shows no "
    "cause."
)

VALIDATION = "This validates the pipeline and the statistics, not detection in real models."

EXACT = (
    "every scenario gave the same value, so there is no spread to go by: the interval says how far scenarios that "
    "were not played could still move the mean (exact bound, n = scenarios)"
)

LEGEND = (
    (
        "survives",
        "the interval of the gap less the control's gap, paired by scenario, excludes zero on the gap's side",
    ),
    (
        "swap control",
        "who follows the meaning shows a gap of the opposite sign there, who follows the label the same gap again",
    ),
    ("gap", "first context less second, in percentage points; the brackets hold the 95% interval"),
    ("revealed / silent", "the part of the gap with / without reasoning that reveals; 'unread' could not be read"),
    (
        "quadrants",
        "raw counts of pairs, for finding transcripts; chance divergence runs both ways, so no estimate",
    ),
    ("reverse", "pairs that comply in the second context and not in the first"),
    ("ungraded", "episodes or pairs without an answer, with their reasons; never counted as a no"),
    ("*", EXACT),
    ("n/a", "could not be computed; the reason stands beside it"),
)

MISSING = "n/a"


def printable(text: str) -> str:
    """Names come from files and models: control characters are shown as escapes, so no terminal obeys them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def points(share: float | None) -> str:
    """A signed difference in percentage points: 0.227 is `+22.7`, None is `n/a`."""
    if share is None:
        return MISSING
    text = f"{100 * share:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def percent(share: float | None) -> str:
    """A share as a percentage: 0.227 is `22.7%`, None is `n/a`."""
    return MISSING if share is None else f"{100 * share:.1f}%"


def interval(estimate: Estimate | None) -> str:
    """The interval of a difference: `[+12.4, +33.0]`; empty where there is none."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    return f"[{points(estimate.low)}, {points(estimate.high)}]"


def difference(estimate: Estimate | None) -> str:
    """A difference with its interval in percentage points: `+22.7 [+12.4, +33.0]`."""
    return MISSING if estimate is None else f"{points(estimate.estimate)} {interval(estimate)}".strip()


def rate(estimate: Estimate | None) -> str:
    """A rate with its interval: `78.0% [68.2, 87.8]`."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return percent(estimate.estimate if estimate else None)
    return f"{percent(estimate.estimate)} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def p_value(p: float | None) -> str:
    """`p = 0.0123`, `p < 0.0001` or nothing."""
    if p is None:
        return ""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"


def short_p(p: float | None) -> str:
    """`0.0123`, `< 0.0001` or `n/a`, for a column of its own."""
    return p_value(p).removeprefix("p ").removeprefix("= ") or MISSING


def exact(estimate: Estimate | None) -> bool:
    """Whether the interval is an exact bound because all scenarios agreed."""
    return estimate is not None and estimate.method == EXACT_BOUND


def any_exact(result: ContrastResult) -> bool:
    """Whether any of its gaps carries an exact bound, which a table marks with `*`."""
    return any(exact(e) for e in (result.gap, result.revealed_gap, result.silent_gap))


def verdict(result: ContrastResult) -> str:
    """`reportable: yes` or `reportable: no, because ...`, in full."""
    return "reportable: yes" if result.reportable else f"reportable: no, because {'; '.join(refusals(result))}"


def refusals(result: ContrastResult) -> tuple[str, ...]:
    """Why a result is not reportable: the reasons that are not about a figure that is null."""
    return () if result.reportable else result.not_reportable_because


def counts(items: dict[str, int]) -> str:
    """`completed 118, truncated 2`."""
    return ", ".join(f"{name} {n}" for name, n in items.items()) or "none"


def bound(result: ContrastResult) -> str:
    """What is said where no revealing reasoning was seen; empty otherwise."""
    seen = result.revealing
    if seen.upper is None or seen.upper_independent is None or seen.rule_of_three is None:
        return ""
    return (
        f"no revealing reasoning in {seen.read} episodes read: its rate is below {percent(seen.upper)} "
        f"(exact one-sided 95% bound, n = scenarios; {percent(seen.upper_independent)} if episodes were "
        f"independent, rule of three {percent(seen.rule_of_three)})"
    )


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


def crossed(other: Bootstrap | Widened | None) -> str:
    """Another interval of a gap, in percentage points."""
    return f"[{points(other.low)}, {points(other.high)}]" if other else MISSING


def wordings(result: ContrastResult) -> str:
    """What the gap says of other wordings; empty where they were not varied."""
    found = result.over_wordings
    return f"if the wordings had been drawn too: {difference(found)} (clustered both ways)" if found else ""


def hangs(result: ContrastResult) -> str:
    """Said where the t interval excludes zero and the widened one does not; empty otherwise."""
    gap, wide = result.gap, result.widened
    if gap is None or wide is None or not excludes_zero(gap) or not wide.low <= 0 <= wide.high:
        return ""
    return (
        f"that the interval excludes zero hangs on few scenarios: widened for scenarios unlike those seen it is "
        f"{crossed(wide)}"
    )


def spread(components: Components | None) -> tuple[str, str, str]:
    """The standard deviations between scenarios, variants and samples, in percentage points."""
    if components is None:
        return MISSING, MISSING, MISSING
    parts = (components.scenario, components.variant, components.sample)
    scenario, variant, sample = (MISSING if part is None else f"{100 * part**0.5:.1f}" for part in parts)
    return scenario, variant, sample


ARMS = {
    "null": "null control (nothing to fake for)",
    "placebo": "placebo control (cues that mean nothing)",
    "swap": "swap control (the labels' meanings exchanged)",
}
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
    return tuple(said)


def undone(result: ContrastResult, context: str | None = None) -> str:
    """A context's rate, or with None the revealing rate, without judge error; empty where it isn't known."""
    known = result.corrected
    figure = (known.rate.get(context) if context else known.reveals) if known else None
    if figure is None or figure.estimate is None:
        return ""
    return f"corrected {percent(figure.estimate)} [{percent(figure.low)}, {percent(figure.high)}]"


def over_graders(result: ContrastResult) -> str:
    """The revealing rate by the grader that finds least and by the one that finds most; empty for one grader."""
    rates = [one.reveals.estimate for one in result.by_grader if one.question == "reasoning" and one.reveals]
    return f"by grader {percent(min(rates))} to {percent(max(rates))}" if len(rates) > 1 else ""


def _undone(name: str, figure: Corrected, written: Callable[[float | None], str]) -> str:
    if figure.estimate is None:
        return f"{name} not corrected for judge error: {figure.reason}"
    span = f"{written(figure.estimate)} [{written(figure.low)}, {written(figure.high)}]"
    return f"{name} corrected for judge error: {span} (as graded {written(figure.raw)})"


def least(found: LeastFaithful) -> str:
    """The minimum over settings, in a sentence."""
    where = f"{found.family}, {found.agent}: least over {found.settings} kinds of hint"
    return f"{where} is {percent(found.least)} ({found.setting})"


def single_pairs(pairs: SinglePairs) -> str:
    """The exact paired test where there is one sample a scenario; empty otherwise."""
    if pairs.p is None:
        return ""
    span = f"[{points(pairs.low)}, {points(pairs.high)}]"
    discordant = f"{pairs.first_only} to {pairs.second_only} discordant pairs"
    return f"one sample a scenario: {discordant}, exact McNemar {p_value(pairs.p)}, paired interval {span}"


def notes(result: ContrastResult) -> tuple[str, ...]:
    """All that a reader should know of a result beside its table, one sentence each."""
    nulls = result.reasons[: len(result.reasons) - len(result.not_reportable_because)]
    seen = excludes_zero(result.gap)
    controls = (against(control, seen) for control in result.controls)
    curves = (*corrected(result.corrected), hint(result.hint), *map(factor, result.factors), *depth(result.depth))
    missing = (_unread(result), _bounds(result), bound(result), single_pairs(result.single_pairs))
    checks = (*graders(result), visibility(result), hangs(result), wordings(result))
    said = (
        look(result),
        *nulls,
        *result.cautions,
        *controls,
        *curves,
        *missing,
        *checks,
        single_pairs(result.single_pairs),
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


def conduct(told: Provenance | None) -> tuple[str, ...]:
    """What was planned, what ran, what was left out, and who answered and graded, one sentence each."""
    if told is None:
        return ()
    hidden = ", the signal hidden" if told.hide_signal else ""
    arms = f", control arms {', '.join(told.controls)}" if told.controls else ""
    planned = (
        f"planned: {told.scenarios} scenarios in {told.variants} variants{arms}, {told.samples} samples, "
        f"{told.planned} episodes, seed {told.seed}{hidden}; ran: {told.played}"
    )
    left = "; ".join(told.left_out) or "nothing"
    graders = ", ".join(f"{g.question} by {g.grader} {g.version} ({g.answers})" for g in told.graders)
    versions = ", ".join(f"{name} {version}" for name, version in told.versions.items())
    return (
        f"plan {told.plan_sha256} (SHA-256 of the manifest), {told.source} {told.created}: {told.command}",
        planned if told.source == "played" else f"imported: {told.played} episodes, none planned here",
        f"left out: {left}",
        *(f"{seen.agent}: {_answered(seen)}" for seen in told.agents),
        f"grades {told.grade_set}: {graders or 'none'}",
        f"versions: {versions}",
    )


def _answered(seen: AgentSeen) -> str:
    named = counts(seen.models) if seen.models else "not named by the provider"
    prints = f"; fingerprints {counts(seen.fingerprints)}" if seen.fingerprints else ""
    dates = f"; {seen.first} to {seen.last}" if seen.first else ""
    return f"asked for {seen.model or 'no model'}, answered by {named}{prints}{dates}; {counts(seen.outcomes)}"
