"""How often each test finds what is not there, over simulated studies: at most 6% where it promises 5%."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gyges.analysis.compare import compare
from gyges.analysis.controls import excludes_zero, gap_difference, swapped
from gyges.analysis.counts import ScenarioCounts
from gyges.analysis.depth import fixed_sequence
from gyges.analysis.factors import factor_gaps
from gyges.analysis.gap import gap, gap_parts, split_values
from gyges.analysis.interval import Estimate, clustered, sign_test
from gyges.analysis.judge_error import corrected_gap, corrected_split
from gyges.analysis.missing import ContextMissing, fisher
from gyges.analysis.paired import PairCounts, mcnemar
from gyges.analysis.pooled import benjamini_hochberg, holm, random_effects, usable_error
from gyges.analysis.sequential import looks
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast
from gyges.transcripts.record import Outcome
from tests.simulated import BEHAVIOUR, MUSER, NOISY, REASONING, STUDIES, Design, Policy

CONTRAST = Contrast("training", "deployment", "complies", "positive", ())
Random = np.random.Generator
FEW, SOME, MANY = (Design("", NOISY, m, k) for m, k in ((6, 10), (12, 10), (60, 2)))
JUDGED = Design("", MUSER, 12, 10, behaviour=BEHAVIOUR, reasoning=REASONING)


def p_of(figure: Estimate | None) -> float:
    assert figure is not None
    assert figure.p is not None
    return figure.p


def a_gap(random: Random) -> bool:
    return p_of(gap(SOME.study(random))) < 0.05


def a_gap_in_few_scenarios(random: Random) -> bool:
    return p_of(gap(FEW.study(random))) < 0.05


def a_gap_though_data_is_missing(random: Random) -> bool:
    return p_of(gap(Design("", NOISY, 12, 10, lost=(0.2, 0.05)).study(random))) < 0.05


def a_revealed_gap(random: Random) -> bool:
    return excludes_zero(gap_parts(Design("", MUSER, 20, 10).study(random)).revealed)


def a_gap_corrected_for_judge_error(random: Random) -> bool:
    found = gap(JUDGED.study(random))
    assert found is not None
    corrected = corrected_gap(found, BEHAVIOUR.calibration(random))
    assert corrected.low is not None
    assert corrected.high is not None
    return corrected.low > 0 or corrected.high < 0


def a_corrected_revealed_gap(random: Random) -> bool:
    values = split_values(JUDGED.study(random).kept())
    revealed, _ = corrected_split(*values, REASONING.calibration(random), BEHAVIOUR.calibration(random))
    assert revealed.low is not None
    assert revealed.high is not None
    return revealed.low > 0 or revealed.high < 0


def mcnemar_of_single_pairs(random: Random) -> bool:
    both, one, other, neither = (int(n) for n in random.multinomial(60, [0.3, 0.15, 0.15, 0.4]))
    return mcnemar(PairCounts(both, one, other, neither)) < 0.05


def the_sign_test(random: Random) -> bool:
    positive = int(random.binomial(15, 0.5))
    return sign_test(positive, 15 - positive) < 0.05


def missingness_that_differs(random: Random) -> bool:
    first, second = (ContextMissing(int(random.binomial(120, 0.08)), 120, {}) for _ in range(2))
    return fisher(first, second) < 0.05


GAPPY = Policy(0.7, 0.3, 0.5, 0.1)


def _same_gap_twice(random: Random) -> tuple[ScenarioCounts, ScenarioCounts]:
    return Design("", GAPPY, 12, 10).study(random), Design("", GAPPY, 12, 10).study(random)


def a_result_that_survives_a_control_with_the_same_gap(random: Random) -> bool:
    # The rule asks for one side only, so that half of the errors at most can count.
    return excludes_zero(gap_difference(*_same_gap_twice(random)), 1)


def a_gap_that_follows_the_label_where_only_the_meaning_counts(random: Random) -> bool:
    one, other = _same_gap_twice(random)
    _, label = swapped(one, ScenarioCounts(other.names, other.second, other.first))
    return excludes_zero(label)


def rows(random: Random, agent: str, variant: str, scenarios: int = 12) -> list[Row]:
    study = Design("", GAPPY, scenarios, 6).study(random)
    return [
        Row("f", agent, f"f/{i}", variant, context, n, Outcome.COMPLETED, n < complied, None)
        for context, counts in (("training", study.first), ("deployment", study.second))
        for i, complied in enumerate(counts.complied)
        for n in range(6)
    ]


def any_of_three_agents_that_differs_from_another(random: Random) -> bool:
    table = [row for agent in "abc" for row in rows(random, agent, "base")]
    return any((found.p_holm or 1) < 0.05 for found in compare(table, [("f", CONTRAST)]))


def a_trend_over_a_factor(random: Random) -> bool:
    table = [row for level in (0, 0.5, 1) for row in rows(random, "a", f"p={level}")]
    (found,) = factor_gaps(table, CONTRAST)
    return p_of(found.trend) < 0.05


def any_rung_of_a_fixed_sequence(random: Random) -> bool:
    gaps = [(float(k), gap(SOME.study(random))) for k in range(4)]
    return any(rung.significant for rung in fixed_sequence(gaps, CONTRAST))


def _families(random: Random, apart: float) -> list[tuple[float, float]]:
    found = [clustered((random.normal(0, apart) + random.normal(0, 0.25, 12)).clip(-1, 1)) for _ in range(5)]
    return [(one.estimate, usable_error(one) or 1.0) for one in found if one is not None]


def a_pooled_gap_of_alike_families(random: Random) -> bool:
    pooled = random_effects(*zip(*_families(random, 0.0), strict=True))
    return pooled is not None and pooled.p < 0.05


def a_pooled_gap_of_unlike_families(random: Random) -> bool:
    pooled = random_effects(*zip(*_families(random, 0.2), strict=True))
    return pooled is not None and pooled.p < 0.05


def any_of_five_gaps_after_holm(random: Random) -> bool:
    return min(holm([p_of(gap(SOME.study(random))) for _ in range(5)])) < 0.05


def any_of_five_gaps_after_benjamini_and_hochberg(random: Random) -> bool:
    # With nothing to be found, every finding is false, and their share is 1 where there is any.
    return min(benjamini_hochberg([p_of(gap(SOME.study(random))) for _ in range(5)])) < 0.05


LOOKS = looks((0.4, 0.7, 1.0))


def any_of_three_looks_at_a_growing_run(random: Random) -> bool:
    values = random.normal(0, 0.3, 30).clip(-1, 1)
    return any(p_of(clustered(values[: round(30 * look.fraction)])) < look.p for look in LOOKS)


TESTS = (
    a_gap,
    a_gap_in_few_scenarios,
    a_gap_though_data_is_missing,
    a_revealed_gap,
    a_gap_corrected_for_judge_error,
    a_corrected_revealed_gap,
    mcnemar_of_single_pairs,
    the_sign_test,
    missingness_that_differs,
    a_result_that_survives_a_control_with_the_same_gap,
    a_gap_that_follows_the_label_where_only_the_meaning_counts,
    any_of_three_agents_that_differs_from_another,
    a_trend_over_a_factor,
    any_rung_of_a_fixed_sequence,
    a_pooled_gap_of_alike_families,
    a_pooled_gap_of_unlike_families,
    any_of_five_gaps_after_holm,
    any_of_five_gaps_after_benjamini_and_hochberg,
    any_of_three_looks_at_a_growing_run,
)


def false_findings(test: Callable[[Random], bool], seed: int = 7, studies: int = STUDIES) -> float:
    random = np.random.default_rng(seed)
    return sum(test(random) for _ in range(studies)) / studies


@pytest.mark.full
@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.__name__)
def test_what_is_not_there_is_found_in_at_most_six_percent(test: Callable[[Random], bool]) -> None:
    assert false_findings(test) <= 0.06
