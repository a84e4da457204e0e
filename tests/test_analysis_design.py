"""What a design can see, in words: the figures are those of the power functions."""

from __future__ import annotations

import re

import pytest

from gyges.analysis.design import Design, design_lines, designs_of
from gyges.analysis.power import Assumed, scenarios_needed, smallest_gap
from gyges.scenarios.plan import Plan, Text


def test_a_design_says_its_episodes_and_the_smallest_gaps_it_sees() -> None:
    episodes, seen, assumed = design_lines([Design("tiers", 20, 1, 10)], agents=3)
    assert episodes.endswith("= 400 episodes an agent, 1200 in all")
    shown = [float(figure) / 100 for figure in re.findall(r"([\d.]+) \(spread", seen)]
    exact = [smallest_gap(Assumed(0.5, 0.5, spread), 20, 10) for spread in (0.05, 0.15, 0.30)]
    assert shown == pytest.approx(exact, abs=1e-3)
    assert all(figure >= (gap or 1) - 1e-8 for figure, gap in zip(shown, exact, strict=True))
    assert "assumed: rates around 50%" in assumed


def test_a_wished_gap_says_how_many_scenarios_and_pairs_it_needs() -> None:
    lines = design_lines([Design("tiers", 20, 2, 5)], gap=0.11)
    needed = scenarios_needed(Assumed(0.555, 0.445, 0.15), 10)
    assert f"{needed} (spread 15)" in lines[2]
    assert re.search(r"McNemar\): 71 where no pair is reversed, 326 where", lines[3])


def test_two_scenarios_promise_nothing() -> None:
    assert "none, not even 100" in design_lines([Design("few", 2, 1, 1)])[1]


def test_looks_are_listed_with_their_p() -> None:
    lines = design_lines([Design("tiers", 20, 1, 10)], checks=4)
    assert lines[-4:] == [
        "  25% of the scenarios done: p < 1.5e-05 (|z| > 4.333)",
        "  50% of the scenarios done: p < 0.003 (|z| > 2.963)",
        "  75% of the scenarios done: p < 0.018 (|z| > 2.359)",
        "  100% of the scenarios done: p < 0.044 (|z| > 2.014)",
    ]


@pytest.mark.parametrize("gap", [0.0, 1.0, -0.1, 11.0])
def test_a_gap_that_is_no_share_is_refused(gap: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        design_lines([Design("tiers", 20, 1, 10)], gap=gap)


def test_the_designs_of_a_run_come_from_its_plans() -> None:
    plans = [
        Plan(family, f"{family}/{i}", f"{arm}{variant}", context, Text(""), ())
        for family, scenarios in (("a", 3), ("b", 5))
        for i in range(scenarios)
        for arm in ("", "placebo:")
        for variant in ("order=ab", "order=ba")
        for context in ("training", "deployment")
    ]
    designs = designs_of(plans, samples=4)
    assert designs == (Design("a", 3, 2, 4, 2, 1), Design("b", 5, 2, 4, 2, 1))
    assert sum(design.episodes for design in designs) == 4 * len(plans)
    assert "x (1 + 1 control arms) = 96 episodes" in design_lines(designs)[0]
