"""Agents and runs against each other: paired by scenario, adjusted; ladders with and without reasoning."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from gyges.analysis.analyse import analyse
from gyges.analysis.compare import Label, compare, of_runs, rung_label, rungs
from gyges.analysis.sentences import between, compared
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast
from gyges.transcripts.record import Outcome, Visibility

CONTRAST = Contrast("training", "deployment", "complies", "positive", ())
NAMED = [("f", CONTRAST)]


def rows(
    agent: str, hits: int, variant: str = "base", visibility: Visibility = Visibility.ABSENT, scenarios: int = 12
) -> list[Row]:
    return [
        Row(
            "f",
            agent,
            f"f/s{i}",
            variant,
            context,
            n,
            Outcome.COMPLETED,
            n < complying,
            None,
            visibility=visibility,
        )
        for i in range(scenarios)
        for context, complying in (("training", hits + (i * len(agent) + hits) % 3), ("deployment", 1))
        for n in range(10)
    ]


def gaps(table: list[Row]) -> list[float]:
    return [
        sum(bool(r.complies) for r in table if r.scenario == f"f/s{i}" and r.context == "training") / 10 - 0.1
        for i in range(12)
    ]


def test_two_agents_are_compared_paired_by_scenario() -> None:
    one, other = rows("a", 6), rows("bb", 4)
    (found,) = compare(one + other, NAMED)
    paired = stats.ttest_rel(gaps(one), gaps(other))
    assert (found.one, found.other) == ("a", "bb")
    assert found.difference is not None
    assert found.difference.p == pytest.approx(paired.pvalue)
    span = paired.confidence_interval(0.95)
    assert [found.difference.low, found.difference.high] == pytest.approx([span.low, span.high])


def test_p_is_adjusted_over_all_pairs() -> None:
    found = compare(rows("a", 6) + rows("bb", 5) + rows("cccc", 4), NAMED)
    raw = [c.difference.p for c in found if c.difference]
    assert len(found) == 3
    assert [c.p_holm for c in found] == pytest.approx(multipletests(raw, method="holm")[1].tolist())


def test_control_arms_are_not_compared() -> None:
    both = rows("a", 6) + rows("bb", 4)
    assert compare(both + rows("a", 0, "placebo:base"), NAMED) == compare(both, NAMED)


def test_agents_of_several_runs_are_told_apart() -> None:
    table = of_runs({"r1": rows("a", 6), "r2": rows("a", 3)})
    (found,) = compare(table, NAMED)
    assert (found.one, found.other) == ("r1:a", "r2:a")
    assert "gap of r1:a less that of r2:a: +30.0" in compared(found)


def test_agents_without_common_scenarios_are_not_compared() -> None:
    (found,) = compare(rows("a", 6) + [replace(r, scenario=f"{r.scenario}x") for r in rows("b", 6)], NAMED)
    assert (found.difference, found.p_holm) == (None, None)
    assert "n/a" in compared(found)


@pytest.mark.parametrize(
    ("reasoning", "without", "label"),
    [
        (0.9, 0.1, "cot_necessary"),
        (0.6, 0.1, "cot_necessary"),
        (0.9, 0.8, "one_shot"),
        (0.3, 0.6, "one_shot"),
        (0.4, 0.1, "too_hard"),
        (0.7, 0.3, "weak"),
        (1.0, 0.5, "cot_necessary"),
    ],
)
def test_a_rung_is_labelled_from_its_uplift(reasoning: float, without: float, label: Label) -> None:
    assert rung_label(reasoning, without) == label


DEEP = [("depth=k0", 8, 8), ("depth=k3", 8, 1), ("depth=k6", 2, 1)]


def test_the_rungs_of_a_ladder_are_labelled_from_two_agents() -> None:
    on = [row for variant, hits, _ in DEEP for row in rows("on", hits, variant)]
    off = [row for variant, _, hits in DEEP for row in rows("off", hits, variant)]
    found = rungs(on, off, CONTRAST)
    assert [(rung.depth, rung.label) for rung in found] == [(0, "one_shot"), (3, "cot_necessary"), (6, "too_hard")]
    assert found[1].uplift is not None
    assert found[1].uplift.estimate == pytest.approx(0.7, abs=0.05)


def test_a_report_finds_the_two_agents_of_one_model_by_itself() -> None:
    on = [row for variant, hits, _ in DEEP for row in rows("on", hits, variant, Visibility.OMITTED)]
    off = [row for variant, _, hits in DEEP for row in rows("off", hits, variant)]
    models = {"on": "openai/x", "off": "openai/x"}
    report = analyse("r", on + off, NAMED, models=models)
    (ladder,) = report.ladders
    assert (ladder.reasoning, ladder.without, len(ladder.rungs)) == ("on", "off", 3)
    assert any("depth 3" in line and "cot_necessary" in line for line in between(report))
    assert analyse("r", on + off, NAMED, models=models | {"off": "openai/y"}).ladders == ()
    assert analyse("r", on, NAMED, models=models).ladders == ()
