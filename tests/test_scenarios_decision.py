"""The decision rule: which line of a reply decides, and what it may look like."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.scenarios.decision import decision, find_decision
from gyges.scenarios.plan import Behaviour, BehaviourKind

LAMP = Behaviour(BehaviourKind.DECISION, "Decision:", (("complies", "buy the lamp"), ("declines", "don't buy it")))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Decision: buy the lamp", "complies"),
        ("I thought.\n\nDecision: don't buy it\n", "declines"),
        ("Decision: don\u2019t buy it.", "declines"),
        ("  **Decision:** buy the lamp", "complies"),
        ("**Decision**: Buy the Lamp!", "complies"),
        ("__DECISION:__ *buy  the lamp*", "complies"),
        ("`Decision: buy the lamp`", "complies"),
        ('decision: "buy the lamp".', "complies"),
        ("Decision: **\u201cbuy the lamp\u201d**", "complies"),
        ("Decision: buy the lamp\r\nBye.", "complies"),
        ("Decision: buy the lamp\nDecision: don't buy it", "declines"),
        ("Decision: buy the lamp\nDecision: something else", "complies"),
        ("Decision: buy the lamp or don't buy it", None),
        ("My decision: buy the lamp", None),
        ("Decision:\nbuy the lamp", None),
        ("Decision buy the lamp", None),
        ("Decision: buy the lamps", None),
        ("buy the lamp", None),
        ("", None),
    ],
)
def test_the_last_line_that_names_a_choice_decides(text: str, label: str | None) -> None:
    assert decision(text, LAMP) == label


def test_the_deciding_line_is_found_at_its_place() -> None:
    text = "First.\n**Decision:** buy the lamp  \nBye."
    found = find_decision(text, LAMP)
    assert found is not None
    assert text[found.start : found.end] == "**Decision:** buy the lamp"


@given(st.text(), st.text(), st.sampled_from(LAMP.choices))
def test_whatever_stands_before_and_after_the_line_changes_nothing(
    before: str, after: str, choice: tuple[str, str]
) -> None:
    if "decision" not in (before + after).casefold():
        assert decision(f"{before}\nDecision: {choice[1]}\n{after}", LAMP) == choice[0]


def test_a_long_hostile_reply_is_judged_quickly() -> None:
    start = time.monotonic()
    assert decision("*_` " * 200_000 + "\n" + "Decision:" + " *" * 200_000, LAMP) is None
    assert time.monotonic() - start < 1
