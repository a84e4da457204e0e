"""Looks at a growing run: which it is, what a finding takes, and that pairs to come are not missing."""

from __future__ import annotations

import pytest

from gyges.analysis.analyse import analyse
from gyges.analysis.notes import notes
from gyges.analysis.result import ContrastResult
from gyges.analysis.sequential import looks
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast
from gyges.transcripts.record import Outcome

CONTRAST = Contrast("training", "deployment", "complies", "positive", ())


def result(played: int, planned_looks: int, hits: int = 8) -> ContrastResult:
    """Of ten samples of each plan so many are played."""
    table = [
        Row("f", "a", f"f/{i}", "base", context, n, *_outcome(n < played, n < complying + i % 2), None)
        for i in range(12)
        for context, complying in (("training", hits), ("deployment", 1))
        for n in range(10)
    ]
    (found,) = analyse("r", table, [("f", CONTRAST)], looks=planned_looks).contrasts
    return found


def _outcome(played: bool, complies: bool) -> tuple[Outcome, bool | None]:
    return (Outcome.COMPLETED, complies) if played else (Outcome.PENDING, None)


def test_without_declared_looks_pending_pairs_are_missing() -> None:
    found = result(5, 1)
    assert found.look is None
    assert not found.reportable


@pytest.mark.parametrize(("played", "number"), [(2, 0), (3, 1), (5, 2), (8, 3), (10, 4)])
def test_a_look_is_known_by_the_share_that_was_played(played: int, number: int) -> None:
    found = result(played, 4)
    assert found.reportable
    assert found.missing.contexts["training"].missing == 0
    assert found.look is not None
    assert (found.look.number, found.look.of, found.look.fraction) == (number, 4, played / 10)
    bounds = [None, *(look.p for look in looks([0.25, 0.5, 0.75, 1.0]))]
    assert found.look.p_below == bounds[number]


def test_the_report_says_what_a_finding_takes() -> None:
    assert any("before the first of 4 planned looks" in note for note in notes(result(2, 4)))
    assert any(
        "look 2 of 4 (50.0% of the episodes played): a finding takes p < 0.003" in n for n in notes(result(5, 4))
    )
    assert any("no finding yet" in note for note in notes(result(5, 4, hits=1)))
