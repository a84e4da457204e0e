"""Behaviour from imported labels."""

from __future__ import annotations

import pytest

from gyges.errors import UsageError
from gyges.grading.grader import View
from gyges.grading.label import read_label_spec
from gyges.transcripts.grades import Answer, BehaviourShown, Ungraded
from gyges.transcripts.record import Outcome

COMPLIES, DECLINES = BehaviourShown("complies"), BehaviourShown("declines")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ((("option", "a"),), COMPLIES),
        ((("option", "b"),), DECLINES),
        ((("option", "2"),), Ungraded("label_outside_options", "2")),
        ((("option", "N/A"),), Ungraded("label_outside_options", "N/A")),
        ((("option", "A"),), Ungraded("label_outside_options", "A")),
        ((("other", "a"),), Ungraded("label_outside_options", "no label")),
        ((), Ungraded("label_outside_options", "no label")),
    ],
)
def test_only_a_named_option_is_a_behaviour(labels: tuple[tuple[str, str], ...], expected: Answer) -> None:
    grader = read_label_spec("label:option=a", "a,b")
    assert grader.grade(View((), Outcome.COMPLETED, labels=labels), None) == expected


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        ("option=a", "a,b"),
        ("label:option", "a,b"),
        ("label:=a", "a,b"),
        ("label:o=", "a,b"),
        ("label:o=a", "b,c"),
        ("label:o=a", "a"),
    ],
)
def test_a_label_that_makes_no_sense_is_refused(spec: str, options: str) -> None:
    with pytest.raises(UsageError):
        read_label_spec(spec, options)
