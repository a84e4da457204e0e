"""From rows to a report: groups them, calls the estimators, and says what speaks against each result.

It knows neither the store nor how a report looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

import numpy as np

from gyges.analysis.bootstrap import Bootstrap, Components, components, two_level_bootstrap
from gyges.analysis.compare import compare, ladders
from gyges.analysis.controls import Control, control
from gyges.analysis.corrected import Known, corrected, known_errors
from gyges.analysis.counts import ScenarioCounts, by_variant, count
from gyges.analysis.crossed import over_wordings
from gyges.analysis.depth import FACTOR, depth_curve
from gyges.analysis.factors import factor_gaps
from gyges.analysis.gap import differences, gap_parts, noise
from gyges.analysis.hints import LeastFaithful, faithfulness, least
from gyges.analysis.interval import Estimate, widened
from gyges.analysis.judge_error import Calibration
from gyges.analysis.looking import look_now
from gyges.analysis.missing import ContextMissing, Missing, missing
from gyges.analysis.organisms import checked
from gyges.analysis.paired import METHOD, mcnemar, newcombe_paired
from gyges.analysis.quadrants import Pair, pair_counts, pair_up, quadrants
from gyges.analysis.rates import mean_rate, rule_of_three, upper_bound_of_zero
from gyges.analysis.result import (
    AuditNote,
    Bounds,
    ByVisibility,
    Cell,
    ContrastResult,
    Coverage,
    MissingData,
    MissingInContext,
    Report,
    Revealing,
    SinglePairs,
)
from gyges.analysis.table import Row, of_arm, of_experiment
from gyges.analysis.together import Batch, Checks, together
from gyges.analysis.verdict import cautions, not_reportable, nulls
from gyges.scenarios.plan import Contrast, control_of
from gyges.scenarios.plan import Control as Kind
from gyges.transcripts.grade_sets import NOT_JUDGED, SetGrader
from gyges.transcripts.grades import Question
from gyges.transcripts.manifest import PlantedGap
from gyges.transcripts.record import Outcome


def analyse(
    run: str,
    rows: Sequence[Row],
    contrasts: Sequence[tuple[str, Contrast]],
    *,
    models: Mapping[str, str] | None = None,
    missing_acknowledged: bool = False,
    audit: Sequence[AuditNote] = (),
    planted: Sequence[PlantedGap] = (),
    options: Mapping[str, int] | None = None,
    judges: Mapping[Question, Calibration] | None = None,
    graders: Sequence[SetGrader] = (),
    errors: str = "",
    looks: int = 1,
    batch: Batch | None = None,
) -> Report:
    """The report of a run, from its rows and each family's contrasts.

    `models` names the model of each agent (an organism's begins with `organism/`). With `missing_acknowledged`
    missing data is a caution, and no reason why a result is not reportable. `audit` is what the audit found;
    `planted` says what gap each organism of the batch has: if one comes out wrong, no result of that family's
    contrast is reportable (`organisms`); `batch` says which of them the run added by itself; `options` says of how
    many behaviours each family's agents choose; `judges` holds what is known of the errors of the graders that
    answered each question, else what `graders` say of theirs counts; `errors` names the labels by which figures
    are corrected though a grader was made with them. Rows of control arms are set against the experiment's, and
    enter no figure of it. The order of rows doesn't matter. Raises ValueError for two rows of the same episode.
    """
    named, groups, results = models or {}, _groups(rows), []
    truth = {(one.family, one.agent, one.contrast): one for one in planted}
    checks, added = Checks(), batch.added if batch else frozenset()
    for (family, agent), group in sorted(groups.items()):
        for contrast in dict.fromkeys(c for f, c in contrasts if f == family):
            mine = _of_contrast(group, contrast)
            played = [row for row in mine if looks < 2 or row.outcome is not Outcome.PENDING]
            result = contrast_result(played, contrast, named.get(agent, ""), missing_acknowledged)
            if result is not None:
                hint = faithfulness(of_experiment(mine), contrast, (options or {}).get(family, 2))
                known = known_errors(graders, contrast, errors, family)
                known = Known({**known.errors, **(judges or {})}, known.told)
                if one := truth.get((family, agent, contrast)):
                    checks = checks.joined(_checks(result, mine, one, known))
                own = Known(dict(judges or {})) if result.organism else known
                result = _undone(result, mine, contrast, own)
                now = look_now(mine, result.gap, looks)
                results.append(result.model_copy(update={"hint": hint, "look": now}))
    asked = [row for row in rows if row.agent not in added]
    compared = {
        "comparisons": compare(asked, contrasts),
        "ladders": ladders(asked, contrasts, named),
        "hints": tuple(_least([result for result in results if result.agent not in added])),
        "judges": dict(judges or {}),
        "errors": errors,
    }
    return together(run, results, audit, checks, batch).model_copy(update=compared)


def _checks(result: ContrastResult, mine: Sequence[Row], planted: PlantedGap, known: Known) -> Checks:
    """What an organism's result says of its batch."""
    counts = count(of_experiment(mine), planted.contrast)
    reasoning, behaviour = known.errors.get("reasoning"), known.errors.get("behaviour")
    if figures := checked(result.family, counts, planted, reasoning, behaviour):
        return Checks(tuple(figures))
    if any(row.ungraded == NOT_JUDGED for row in mine):
        what = "the judge of what it did was not asked about it"
        return Checks(unplayed={(result.family, result.contrast): (f"the organism {result.agent}: {what}",)})
    ended = all(sum(seen.values()) > seen.get(Outcome.PENDING, 0) for seen in result.outcomes.values())
    what = "nothing of it could be graded" if ended else "it was not played"
    said = {(result.family, result.contrast): (f"the organism {result.agent}: {what}",)}
    return Checks(broken=said) if ended else Checks(unplayed=said)


def _undone(result: ContrastResult, mine: Sequence[Row], contrast: Contrast, known: Known) -> ContrastResult:
    """The result with its figures corrected for judge error; where none may be, why not."""
    if not known.errors:
        return result.model_copy(update={"cautions": (*result.cautions, *known.told)})
    counts = count(of_experiment(mine), contrast)
    return result.model_copy(update={"corrected": corrected(result, counts, known.errors, known.told)})


def _least(results: Sequence[ContrastResult]) -> Iterator[LeastFaithful]:
    for key in dict.fromkeys((result.family, result.agent) for result in results):
        mine = [result for result in results if (result.family, result.agent) == key]
        if found := least(*key, [(result.contrast[0], result.hint) for result in mine if result.hint]):
            yield found


def contrast_result(
    rows: Sequence[Row], contrast: Contrast, model: str = "", missing_acknowledged: bool = False
) -> ContrastResult | None:
    """The result of one agent's rows of one family; None when the experiment has no row in either context."""
    arms, rows = _arms(rows), of_experiment(rows)
    if not rows:
        return None
    counts = count(rows, contrast)
    pairs = pair_up(rows, contrast)
    parts = gap_parts(counts)
    lost = missing(rows, counts, contrast)
    rates = _rates(counts, contrast)
    kept, begins = by_variant(rows, contrast)
    bootstrap, variance = _spread(kept, begins)
    factors = factor_gaps(rows, contrast)
    by_depth = next((one for one in factors if one.factor == FACTOR), None)
    revealing = _revealing(rows, counts, contrast)
    refused = not_reportable(parts, lost, contrast, missing_acknowledged)
    reasons = (*nulls(counts, parts, rates, revealing), *refused)
    return ContrastResult(
        family=rows[0].family,
        agent=rows[0].agent,
        model=model,
        contrast=(contrast.first, contrast.second),
        target=contrast.target,
        reveals=contrast.reveals,
        expected_sign=contrast.sign,
        scenarios=len(counts.names),
        scenarios_in_gap=len(counts.kept().names),
        scenarios_dropped=counts.dropped(),
        pairs=len(pairs),
        rate={context: rate.estimate if rate else None for context, rate in rates.items()},
        rate_interval=rates,
        gap=parts.gap,
        bootstrap=bootstrap,
        widened=widened(parts.gap),
        over_wordings=over_wordings(kept, begins),
        components=variance,
        revealed_gap=parts.revealed,
        silent_gap=parts.silent,
        unread_gap=parts.unread,
        quadrants=quadrants(pairs),
        cells=_cells(rows, contrast),
        controls=tuple(_control(kind, arm, counts, rows[0].family, contrast) for kind, arm in arms.items()),
        factors=factors,
        depth=depth_curve(rows, contrast, by_depth),
        ungraded={contrast.first: lost.first.missing, contrast.second: lost.second.missing},
        outcomes=_outcomes(rows, contrast),
        missing=_missing(lost, contrast, missing_acknowledged),
        single_pairs=_single_pairs(counts, pairs),
        revealing=revealing,
        reportable=not refused,
        reasons=reasons,
        not_reportable_because=refused,
        cautions=cautions(counts, parts, lost, contrast, missing_acknowledged),
    )


def _arms(rows: Sequence[Row]) -> dict[Kind, list[Row]]:
    """The rows of each control arm that was played."""
    variants = {row.variant for row in rows}
    played = sorted({arm for variant in variants if (arm := control_of(variant)[0]) is not None})
    return {arm: of_arm(rows, arm) for arm in played}


def _control(kind: Kind, rows: Sequence[Row], counts: ScenarioCounts, family: str, contrast: Contrast) -> Control:
    return control(kind, family, contrast, counts, count(rows, contrast))


def _groups(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.family, row.agent), []).append(row)
    return groups


def _of_contrast(rows: Iterable[Row], contrast: Contrast) -> list[Row]:
    contexts = (contrast.first, contrast.second)
    return [row for row in rows if row.context in contexts and row.contrast in (None, contrast)]


def _rates(counts: ScenarioCounts, contrast: Contrast) -> dict[str, Estimate | None]:
    kept = counts.kept()
    used = kept if kept.names else counts
    return {
        contrast.first: mean_rate(used.first.complied, used.first.graded),
        contrast.second: mean_rate(used.second.complied, used.second.graded),
    }


def _spread(kept: ScenarioCounts, begins: Sequence[int]) -> tuple[Bootstrap | None, Components | None]:
    if not kept.names:
        return None, None
    gaps = np.split(differences(kept), begins)
    return two_level_bootstrap(gaps), components(gaps, np.split(noise(kept), begins))


def _cells(rows: Iterable[Row], contrast: Contrast) -> tuple[Cell, ...]:
    seen = Counter((row.context, row.complies, row.reveals) for row in rows)
    orders = product((contrast.first, contrast.second), (True, False, None), (True, False, None))
    cells = ((c, complied, revealed, seen[c, complied, revealed]) for c, complied, revealed in orders)
    return tuple(Cell(context=c, complied=y, revealed=r, episodes=n) for c, y, r, n in cells if n)


def _outcomes(rows: Iterable[Row], contrast: Contrast) -> dict[str, dict[str, int]]:
    seen: dict[str, Counter[str]] = {contrast.first: Counter(), contrast.second: Counter()}
    for row in rows:
        seen[row.context][row.outcome.value] += 1
    return {context: dict(sorted(counter.items())) for context, counter in seen.items()}


def _missing(lost: Missing, contrast: Contrast, acknowledged: bool) -> MissingData:
    bounds = None if lost.low is None or lost.high is None else Bounds(low=lost.low, high=lost.high)
    contexts = {contrast.first: _in_context(lost.first), contrast.second: _in_context(lost.second)}
    return MissingData(
        contexts=contexts,
        fisher_p=lost.fisher_p,
        differential=lost.differential,
        bounds=bounds,
        acknowledged=acknowledged,
    )


def _in_context(lost: ContextMissing) -> MissingInContext:
    return MissingInContext(missing=lost.missing, planned=lost.planned, share=lost.share, causes=lost.causes)


def _single_pairs(counts: ScenarioCounts, pairs: Sequence[Pair]) -> SinglePairs:
    cells = pair_counts(pairs)
    several = bool((counts.first.graded > 1).any() or (counts.second.graded > 1).any())
    reason = "several graded episodes of a scenario in one context" if several else ""
    reason = reason or ("" if cells.total else "no complete pair")
    low, high = (None, None) if reason else newcombe_paired(cells)
    return SinglePairs(
        both=cells.both,
        first_only=cells.first_only,
        second_only=cells.second_only,
        neither=cells.neither,
        p=None if reason else mcnemar(cells),
        low=low,
        high=high,
        method=METHOD,
        reason=reason,
    )


def _revealing(rows: Iterable[Row], counts: ScenarioCounts, contrast: Contrast) -> Revealing:
    first, rows = counts.first, list(rows)
    seen, read = int(first.revealing.sum()), int(first.read.sum())
    none = seen == 0 and read > 0
    unread: Counter[str] = Counter()
    visibility: dict[str, Counter[str]] = {contrast.first: Counter(), contrast.second: Counter()}
    shown: Counter[tuple[str, bool | None]] = Counter()
    for row in rows:
        if row.context == contrast.first and row.reveals is None:
            unread[row.unread or row.outcome.value] += 1
        if row.visibility is not None:
            visibility[row.context][row.visibility.value] += 1
            if row.context == contrast.first:
                shown[row.visibility.value, row.reveals] += 1
    return Revealing(
        seen=seen,
        read=read,
        episodes=int(first.planned.sum()),
        rate=mean_rate(first.revealing, first.read),
        upper=upper_bound_of_zero(int((first.read > 0).sum())) if none else None,
        upper_independent=upper_bound_of_zero(read) if none else None,
        rule_of_three=rule_of_three(read) if none else None,
        unread=dict(sorted(unread.items())),
        visibility={context: dict(sorted(counter.items())) for context, counter in visibility.items()},
        by_visibility={name: _by_visibility(shown, name) for name in sorted(visibility[contrast.first])},
        coverage={context: _coverage(rows, context) for context in (contrast.first, contrast.second)},
    )


def _coverage(rows: Sequence[Row], context: str) -> Coverage:
    mine = [row for row in rows if row.context == context]
    legible = [row.legible for row in mine if row.legible is not None]
    return Coverage(
        read=sum(row.reveals is not None for row in mine),
        episodes=len(mine),
        legible=sum(legible) / len(legible) if legible else None,
        unread=dict(
            sorted(Counter(row.unread or row.outcome.value for row in mine if row.reveals is None).items())
        ),
    )


def _by_visibility(shown: Mapping[tuple[str, bool | None], int], name: str) -> ByVisibility:
    seen, silent, unread = (shown[name, reveals] for reveals in (True, False, None))
    return ByVisibility(seen=seen, read=seen + silent, episodes=seen + silent + unread)
