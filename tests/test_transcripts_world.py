"""A world in a transcript: stored, exported, imported, shown and verified as it was."""

from __future__ import annotations

import pytest

from gyges.scenarios.condition import Called
from gyges.scenarios.text import Text
from gyges.scenarios.world import Change, World, changed, changes
from gyges.transcripts.record import Message, ToolCall, ToolResult
from gyges.transcripts.world import carried_out, seen, start_of, states, with_start

WORLD = World((("a/x", Text("one free", ((4, 8),))), ("a/y", Text("two"))), (), ())
SAID = (
    Message("user", "Go."),
    Message("assistant", "", calls=(ToolCall("1", "put", '{"n": 3}'), ToolCall("2", "put", "{"))),
    Message("tool", "ok", result=ToolResult("1"), changes=(Change("a/y", Text("two"), None),)),
    Message("tool", "Error", result=ToolResult("2", failed=True)),
    Message("assistant", "Done."),
)


def test_every_state_follows_from_the_start_and_the_changes() -> None:
    said = with_start(SAID, WORLD)
    assert start_of(said) == dict(WORLD.start)
    assert [sorted(state) for state in states(said, start_of(said))] == [["a/x", "a/y"]] * 2 + [["a/x"]] * 3


def test_conditions_are_told_the_world_without_the_signal_and_the_calls_that_were_carried_out() -> None:
    found = seen(with_start(SAID, WORLD))
    assert found.start == {"a/x": "one [...]", "a/y": "two"}
    assert found.state == {"a/x": "one [...]"}
    assert found.calls == [Called("put", {"n": "3"})]
    assert found.answer == "Done."


def test_an_id_that_is_used_again_names_the_latest_call() -> None:
    asked = Message("assistant", "", calls=(ToolCall("1", "get", "{}"),))
    again = (*SAID, asked, Message("tool", "", result=ToolResult("1")))
    assert carried_out(again) == [Called("put", {"n": "3"}), Called("get", {})]


def test_an_episode_without_a_world_has_none() -> None:
    assert with_start(SAID, None) == SAID
    assert (start_of(SAID), seen(()).state) == ({}, {})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"a": "1"}),
        ({"a": "1"}, {}),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": ""}),
        ({"a": "1"}, {"a": "1"}),
    ],
)
def test_changes_lead_from_one_state_to_the_other(before: dict[str, str], after: dict[str, str]) -> None:
    first, second = ({place: Text(text) for place, text in state.items()} for state in (before, after))
    assert changed(first, changes(first, second)) == second
    assert {change.place for change in changes(first, second)} == {
        place for place in {*before, *after} if before.get(place) != after.get(place)
    }
