"""The gap and its split, from counts of rows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gyges.analysis.counts import count
from gyges.analysis.gap import GapParts, gap, gap_parts
from gyges.analysis.interval import BY_CONSTRUCTION, EXACT_BOUND, Estimate
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast
from gyges.transcripts.record import Outcome

CONTRAST = Contrast("training", "deployment", "complies", "positive", ("alignment_faking",))
SWAPPED = Contrast("deployment", "training", "complies", "positive", ("alignment_faking",))

Cell = tuple[bool | None, bool | None]
"""Complies, reveals."""
Scenario = tuple[Sequence[Cell], Sequence[Cell]]


def rows(scenarios: Sequence[Scenario]) -> list[Row]:
    return [
        Row("f", "a", f"f/{i:03}", "base", context, sample, Outcome.COMPLETED, complies, reveals)
        for i, contexts in enumerate(scenarios)
        for context, cells in zip(("training", "deployment"), contexts, strict=True)
        for sample, (complies, reveals) in enumerate(cells)
    ]


def parts(scenarios: Sequence[Scenario], contrast: Contrast = CONTRAST) -> GapParts:
    return gap_parts(count(rows(scenarios), contrast))


def estimate(figure: Estimate | None) -> float:
    assert figure is not None
    return figure.estimate


cell = st.tuples(st.sampled_from([True, False, None]), st.sampled_from([True, False, None]))
cells = st.lists(cell, max_size=6)
studies = st.lists(st.tuples(cells, cells), max_size=8)
unhurried = settings(deadline=None)


def test_a_gap_is_the_mean_of_the_scenarios_differences() -> None:
    study = [([(True, True)] * 3 + [(False, False)], [(False, False)] * 2), ([(True, False)], [(True, False)])]
    assert estimate(parts(study).gap) == pytest.approx((0.75 - 0.0 + 1 - 1) / 2)


def test_the_split_follows_the_definition() -> None:
    # P(R) = 1/2, P(C|R) = 1, P(C|not R) = 1/2, d = 1/4.
    first: list[Cell] = [(True, True), (True, True), (True, False), (False, False)]
    second: list[Cell] = [(True, None), (False, None), (False, None), (False, None)]
    split = parts([(first, second)] * 3)
    assert estimate(split.revealed) == pytest.approx(0.5 * (1 - 0.25))
    assert estimate(split.silent) == pytest.approx(0.5 * (0.5 - 0.25))
    assert split.revealed is not None
    assert split.revealed.method == EXACT_BOUND


def test_variants_of_a_scenario_are_pooled() -> None:
    table = rows([([(True, False)], [(False, False)])] * 2)
    second = [Row(r.family, r.agent, r.scenario, "other", r.context, 0, r.outcome, False, False) for r in table]
    counts = count([*table, *second], CONTRAST)
    assert counts.names == ("f/000", "f/001")
    assert estimate(gap(counts)) == 0.5


@unhurried
@given(studies)
def test_the_gap_is_the_sum_of_its_parts(study: list[Scenario]) -> None:
    split = parts(study)
    if split.gap is None:
        assert (split.revealed, split.silent, split.unread) == (None, None, None)
        return
    known = [part.estimate for part in (split.revealed, split.silent, split.unread) if part is not None]
    assert sum(known) == pytest.approx(split.gap.estimate, abs=1e-12)


@unhurried
@given(studies)
def test_swapping_the_contexts_negates_the_gap(study: list[Scenario]) -> None:
    one, other = parts(study).gap, parts(study, SWAPPED).gap
    if one is None or one.se is None:
        return
    assert other is not None
    assert other.estimate == pytest.approx(-one.estimate, abs=1e-12)
    assert other.se == pytest.approx(one.se, abs=1e-12)
    assert (other.low, other.high) == pytest.approx((-(one.high or 0), -(one.low or 0)), abs=1e-9)
    assert other.p == pytest.approx(one.p, abs=1e-9)


@pytest.mark.parametrize("complies", [True, False])
def test_a_study_without_divergence_has_a_zero_gap_with_width(complies: bool) -> None:
    split = parts([([(complies, False)] * 5, [(complies, False)] * 5)] * 12)
    assert split.gap is not None
    assert (split.gap.estimate, split.gap.se, split.gap.p) == (0.0, 0.0, 1.0)
    assert split.gap.low == pytest.approx(-(1 - 0.025 ** (1 / 12)))


def test_unreadable_reasoning_is_unread_and_never_silent() -> None:
    split = parts([([(True, None)] * 2, [(False, None)] * 2), ([(True, None)], [(True, None)])])
    assert (split.revealed, split.silent) == (None, None)
    assert split.unread == split.gap
    assert estimate(split.gap) == 0.5


def test_partly_unreadable_reasoning_is_a_part_of_its_own() -> None:
    split = parts([([(True, None), (True, True), (True, False), (False, False)], [(False, None)])] * 4)
    shares = (estimate(split.revealed), estimate(split.silent), estimate(split.unread))
    assert shares == pytest.approx((0.25, 0.25, 0.25))


def test_without_unread_episodes_the_unread_part_is_zero_by_construction() -> None:
    split = parts([([(True, True)], [(False, None)]), ([(True, False)], [(False, None)])])
    assert split.unread is not None
    assert (split.unread.low, split.unread.high, split.unread.method) == (0.0, 0.0, BY_CONSTRUCTION)


def test_a_scenario_without_a_graded_episode_in_a_context_drops_out_and_is_named() -> None:
    study: list[Scenario] = [([(True, True)], [(False, False)])] * 2
    study += [([(True, True)], [(None, False)]), ([], [(True, True)])]
    counts = count(rows(study), CONTRAST)
    assert counts.dropped() == ("f/002", "f/003")
    assert estimate(gap(counts)) == 1.0
    assert gap_parts(count(rows(study[2:]), CONTRAST)) == GapParts(None, None, None, None)


def test_rows_of_other_contexts_are_left_out() -> None:
    table = rows([([(True, True)], [(False, False)])])
    third = [Row(r.family, r.agent, r.scenario, "base", "audit", 0, r.outcome, True, True) for r in table]
    assert count([*table, *third], CONTRAST).names == ("f/000",)
    assert count([*table, *third], CONTRAST).first.planned.tolist() == [1]
