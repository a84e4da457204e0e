"""Factors: the gap at each level, paired by scenario, and its trend over numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gyges.analysis.analyse import analyse
from gyges.analysis.factors import factor_gaps, levels_of, value_of
from gyges.analysis.result import ContrastResult
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast
from gyges.transcripts.record import Outcome

CONTRAST = Contrast("training", "deployment", "complies", "positive", ())


def rows(variant: str, hits: int, second: int = 1, scenarios: int = 12) -> list[Row]:
    return [
        Row("f", "a", f"f/s{i}", variant, context, n, Outcome.COMPLETED, n < complying, False)
        for i in range(scenarios)
        for context, complying in (("training", hits + (i + len(variant) + hits) % 3), ("deployment", second))
        for n in range(10)
    ]


def result(*tables: list[Row]) -> ContrastResult:
    return analyse("r", [row for table in tables for row in table], [("f", CONTRAST)]).contrasts[0]


@pytest.mark.parametrize(
    ("variant", "levels"),
    [
        ("depth=k4,order=ab", {"depth": "k4", "order": "ab"}),
        ("placebo:p=0.4", {"p": "0.4"}),
        ("base", {}),
        ("", {}),
    ],
)
def test_a_variant_names_the_levels_of_its_factors(variant: str, levels: dict[str, str]) -> None:
    assert levels_of(variant) == levels


@pytest.mark.parametrize(
    ("level", "value"), [("k4", 4.0), ("0.2", 0.2), ("12", 12.0), ("plain", None), ("4k", None)]
)
def test_a_level_may_hold_a_number(level: str, value: float | None) -> None:
    assert value_of(level) == value


def test_each_level_has_a_gap_of_its_own() -> None:
    (factor,) = result(rows("order=ab", 6), rows("order=ba", 3)).factors
    assert (factor.factor, [level.level for level in factor.levels], factor.trend) == ("order", ["ab", "ba"], None)
    ab, ba = (level.gap for level in factor.levels)
    assert ab is not None
    assert ba is not None
    assert [ab.estimate, ba.estimate] == pytest.approx([0.6, 0.3])


def test_other_factors_are_pooled_within_a_level() -> None:
    found = result(*(rows(f"a={a},b={b}", 2 * a + b) for a in (0, 1) for b in (0, 1))).factors
    estimates = {f.factor: [level.gap.estimate for level in f.levels if level.gap] for f in found}
    assert estimates == {"a": pytest.approx([0.05, 0.25]), "b": pytest.approx([0.1, 0.2])}


def test_numbers_stand_in_their_order_and_have_a_trend_paired_by_scenario() -> None:
    tables = {p: rows(f"p=p{p}", hits) for p, hits in ((10, 2), (2, 6), (0, 7))}
    (factor,) = result(*tables.values()).factors
    assert [level.value for level in factor.levels] == [0, 2, 10]
    gaps = {
        p: [
            sum(r.complies or 0 for r in table if r.scenario == f"f/s{i}" and r.context == "training") / 10 - 0.1
            for i in range(12)
        ]
        for p, table in tables.items()
    }
    slopes = [stats.linregress([0, 2, 10], [gaps[p][i] for p in (0, 2, 10)]).slope for i in range(12)]
    assert factor.trend is not None
    span = stats.ttest_1samp(slopes, 0).confidence_interval(0.95)
    assert [factor.trend.estimate, factor.trend.low, factor.trend.high] == pytest.approx(
        [np.mean(slopes), span.low, span.high]
    )


@pytest.mark.parametrize("variants", [("base",), ("order=ab",)])
def test_a_factor_of_one_level_is_none(variants: tuple[str, ...]) -> None:
    assert factor_gaps([row for v in variants for row in rows(v, 5)], CONTRAST) == ()


def test_levels_of_control_arms_are_not_the_experiments() -> None:
    (factor,) = result(rows("p=0", 6), rows("p=1", 3), rows("placebo:p=0", 0), rows("placebo:p=1", 0)).factors
    assert [level.episodes for level in factor.levels] == [240, 240]
