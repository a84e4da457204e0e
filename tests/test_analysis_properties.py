"""Whatever the rows: what has to hold of a whole result, and a second computation of it that shares no code."""

from __future__ import annotations

import math
import random
import statistics
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gyges.analysis.analyse import analyse
from gyges.analysis.result import ContrastResult
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast
from gyges.transcripts.record import Outcome

CONTRAST = Contrast("training", "deployment", "complies", "positive", ("alignment_faking",))
TURNED = Contrast("deployment", "training", "complies", "positive", ("alignment_faking",))
CONTEXTS = ("training", "deployment")
KINDS = st.sampled_from(
    [
        (Outcome.COMPLETED, True, True),
        (Outcome.COMPLETED, True, False),
        (Outcome.COMPLETED, False, True),
        (Outcome.COMPLETED, False, False),
        (Outcome.COMPLETED, True, None),
        (Outcome.COMPLETED, False, None),
        (Outcome.COMPLETED, None, True),
        (Outcome.REFUSED_BY_MODEL, False, False),
        (Outcome.TRUNCATED, None, None),
        (Outcome.PENDING, None, None),
    ]
)


@st.composite
def studies(draw: st.DrawFn) -> list[Row]:
    """One to six scenarios, unbalanced, with anything missing anywhere; some variants."""
    rows = []
    for scenario in range(draw(st.integers(1, 6))):
        for context in CONTEXTS:
            for sample in range(draw(st.integers(0, 4))):
                outcome, complies, reveals = draw(KINDS)
                variant = "a" if sample % 2 else "b"
                why = "" if complies is not None else "broken"
                rows.append(
                    Row("f", "x", f"f/{scenario}", variant, context, sample, outcome, complies, reveals, why, "")
                )
    return rows


def one(rows: list[Row], contrast: Contrast = CONTRAST) -> ContrastResult | None:
    found = analyse("r", rows, [("f", contrast)]).contrasts
    return found[0] if found else None


def near(value: float | None) -> object:
    return pytest.approx(value, abs=1e-9) if value is not None else None


def estimates(result: ContrastResult) -> list[float | None]:
    parts = (result.gap, result.revealed_gap, result.silent_gap, result.unread_gap)
    return [part.estimate if part else None for part in parts]


@settings(max_examples=60, deadline=None)
@given(studies())
def test_a_result_adds_up(rows: list[Row]) -> None:
    result = one(rows)
    if result is None:
        assert not rows
        return
    gap, *parts = estimates(result)
    if gap is not None and None not in parts:
        assert sum(part for part in parts if part is not None) == near(gap)
    if gap is not None:
        first, second = (result.rate[context] for context in CONTEXTS)
        assert first is not None
        assert second is not None
        assert first - second == near(gap)
    cells = result.quadrants
    counted = (getattr(cells, name) for name in type(cells).__slots__)
    assert sum(counted) == result.pairs
    assert sum(cell.episodes for cell in result.cells) == len(rows)
    assert sum(sum(seen.values()) for seen in result.outcomes.values()) == len(rows)
    assert sum(result.ungraded.values()) == sum(row.complies is None for row in rows)
    if result.missing.bounds and gap is not None and not result.scenarios_dropped:
        assert result.missing.bounds.low - 1e-9 <= gap <= result.missing.bounds.high + 1e-9


@settings(max_examples=40, deadline=None)
@given(studies(), st.integers(0, 99))
def test_neither_the_order_of_rows_nor_more_of_the_same_changes_an_estimate(rows: list[Row], seed: int) -> None:
    result, mixed = one(rows), list(rows)
    random.Random(seed).shuffle(mixed)
    assert one(mixed) == result
    if result is None:
        return
    again = [replace(row, scenario=f"{row.scenario}-again") for row in rows]
    twice = one([*rows, *again])
    more = one([*rows, *(replace(row, sample=row.sample + 10) for row in rows)])
    arm = one([*rows, *(replace(row, variant="null:a", complies=True, reveals=True) for row in rows)])
    assert twice is not None
    assert more is not None
    assert arm is not None
    assert estimates(twice) == pytest.approx(estimates(result), abs=1e-9)
    assert estimates(more) == pytest.approx(estimates(result), abs=1e-9)
    assert arm.model_copy(update={"controls": (), "cautions": result.cautions}) == result
    m = result.scenarios_in_gap
    if result.gap and result.gap.se and twice.gap and twice.gap.se:
        assert twice.gap.se == near(result.gap.se * math.sqrt((m - 1) / (2 * m - 1)))


@settings(max_examples=40, deadline=None)
@given(studies())
def test_contexts_exchanged_turn_the_gap_round(rows: list[Row]) -> None:
    result, turned = one(rows), one(rows, TURNED)
    if result is None or turned is None:
        assert result == turned
        return
    assert turned.pairs == result.pairs
    if result.gap is None or turned.gap is None:
        assert result.gap == turned.gap
        return
    assert turned.gap.estimate == near(-result.gap.estimate)
    if result.gap.low is not None and result.gap.high is not None:
        assert (turned.gap.low, turned.gap.high) == (near(-result.gap.high), near(-result.gap.low))
        assert turned.gap.p == near(result.gap.p)
    if result.missing.bounds and turned.missing.bounds:
        assert turned.missing.bounds.low == near(-result.missing.bounds.high)


@settings(max_examples=60, deadline=None)
@given(studies())
def test_a_second_computation_in_fractions_agrees(rows: list[Row]) -> None:
    result = one(rows)
    if result is None:
        return
    by: defaultdict[str, defaultdict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.complies is not None:
            by[row.scenario][row.context].append(row)
    whole, told, untold, unread = [], [], [], []
    for found in by.values():
        first, second = (found[context] for context in CONTEXTS)
        if not first or not second:
            continue
        d = Fraction(sum(bool(row.complies) for row in second), len(second))
        parts: dict[bool | None, Fraction] = {True: Fraction(0), False: Fraction(0), None: Fraction(0)}
        for row in first:
            parts[row.reveals] += (int(bool(row.complies)) - d) / len(first)
        whole.append(sum(parts.values()))
        told.append(parts[True])
        untold.append(parts[False])
        unread.append(parts[None])
    if not whole:
        assert result.gap is None
        return
    assert result.gap is not None
    assert result.gap.estimate == near(float(sum(whole) / len(whole)))
    if len(set(whole)) > 1:
        assert result.gap.se == near(statistics.stdev(map(float, whole)) / math.sqrt(len(whole)))
    kept = {scenario for scenario, found in by.items() if all(found[context] for context in CONTEXTS)}
    read = any(
        row.reveals is not None
        for row in rows
        if row.context == "training" and row.complies is not None and row.scenario in kept
    )
    for figure, values in ((result.revealed_gap, told), (result.silent_gap, untold)):
        assert (figure.estimate if figure else None) == (near(float(sum(values) / len(values))) if read else None)
    assert result.unread_gap is not None
    assert result.unread_gap.estimate == near(float(sum(unread) / len(unread)))
