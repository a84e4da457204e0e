"""Calls in a world: refusals, effects, results, errors, and nothing shared."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import pytest

from gyges.errors import UsageError
from gyges.scenarios.pairs import check_pair
from gyges.scenarios.plan import Plan
from gyges.scenarios.render import plans
from gyges.scenarios.text import Text
from gyges.scenarios.world_play import Playing, filled
from gyges.transcripts.codec import read_plan, spell_plan
from tests.worlds import Depot, only, world_of

pytest_plugins = ["tests.depot"]


def said(playing: Playing, tool: str, **arguments: object) -> str:
    return playing.call(tool, arguments).text.text


def test_a_tool_refuses_does_its_operation_has_effects_and_answers(depot: Depot) -> None:
    depot()
    playing = Playing(world_of())
    assert said(playing, "ship", id="c1", speed=2) == "c1 is on its way."
    assert playing.state["crates/c1/status"] == Text("shipped")
    assert playing.state["desk/out/c1.txt"] == Text("c1 at speed 2")
    done = playing.call("ship", {"id": "c2"})
    assert done.text == Text("All gone (updated). <line>amber</line>", ((20, 38),))
    assert playing.state["desk/out/c2.txt"] == Text("c2 at speed "), "an argument that was left out is empty"
    assert "desk/notes/rules.txt" not in playing.state
    assert {change.place for change in done.changes} == {
        "crates/c2/status",
        "desk/out/c2.txt",
        "desk/notes/rules.txt",
        "flags/monitor",
        "clock/now",
    }
    before = dict(playing.state)
    refused = playing.call("ship", {"id": "c1"})
    assert (refused.text.text, refused.failed, refused.changes) == ("The gate is locked.", True, ())
    assert playing.state == before
    assert playing.state["clock/now"] == Text("00:20"), "fifteen minutes for each call that was carried out"


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        ("shop", {}, "there is no tool 'shop'. did you mean 'ship'?"),
        ("Ship", {"id": "c1"}, "there is no tool 'Ship'. did you mean 'ship'?"),
        ("ship", {}, "the argument 'id' is missing"),
        ("ship", {"id": "c1", "sped": 1}, "there is no argument 'sped'. did you mean 'speed'?"),
        ("ship", {"id": "c1", "__proto__": {}}, "there is no argument '__proto__'."),
        ("ship", {"id": 1}, "id: expected string, but found a number"),
        ("ship", {"id": None}, "id: expected string, but found null"),
        ("ship", {"id": "c1", "speed": "2"}, "speed: expected integer, but found a string"),
        ("ship", {"id": "c1", "speed": True}, "speed: expected integer, but found a boolean"),
        ("ship", {"id": "c1", "speed": 2.0}, "speed: expected integer, but found a number"),
        ("ship", {"id": "c1", "speed": 9}, "speed: 9 is more than 3"),
        ("ship", {"id": "x" * 100_001}, "id: 100,001 characters"),
        ("ship", {"id": "c9"}, "there is no row 'c9'"),
        ("look", {"path": "../../etc/passwd"}, "is no file here"),
    ],
)
def test_a_call_that_is_wrong_is_told_so_and_changes_nothing(
    depot: Depot, tool: str, arguments: dict[str, object], error: str
) -> None:
    depot()
    playing = Playing(world_of())
    before = dict(playing.state)
    done = playing.call(tool, arguments)
    assert done.failed
    assert error.rstrip(".?") in done.text.text
    assert (playing.state, playing.calls) == (before, [])


def test_a_result_that_would_fill_the_context_is_an_error_and_changes_nothing(depot: Depot) -> None:
    depot()
    playing = Playing(world_of())
    playing.state["desk/session.txt"] = Text("x" * 100_001)
    done = playing.call("look", {"path": "session.txt"})
    assert (done.failed, done.changes) == (True, ())
    assert done.text.text == "Error: the result has 100,001 characters, and 100,000 are allowed"


def test_what_a_model_wrote_is_never_a_template(depot: Depot) -> None:
    depot()
    playing = Playing(world_of())
    hostile = "${result} ${speed} {{ signal.line }} {0.__class__} {% raw %}"
    assert hostile in filled(Text("${id}"), {"id": Text(hostile)}).text
    assert playing.call("look", {"path": hostile}).text.text == f"Error: there is no file {hostile!r}"
    assert "__class__" not in json.dumps([text.text for text in playing.state.values()])


def test_episodes_share_nothing(depot: Depot) -> None:
    depot()
    world = world_of()
    worlds = [Playing(world) for _ in range(200)]
    for playing in worlds[::2]:
        said(playing, "ship", id="c1")
    assert [playing.state["crates/c1/status"].text for playing in worlds[:4]] == ["shipped", "waiting"] * 2
    assert dict(world.start)["crates/c1/status"] == Text("waiting")


def test_worlds_that_share_an_anchor_share_no_state(depot: Depot) -> None:
    depot(
        {
            "post:\n    kind: mail": "spare: &spare {kind: values, values: {a: x}}\n"
            "  other: *spare\n  post:\n    kind: mail",
            "  ship:\n    desc": "  put: {description: Put., does: {set: spare}}\n  ship:\n    desc",
        }
    )
    playing = Playing(world_of())
    assert said(playing, "put", name="a", value="y") == "set"
    assert (playing.state["spare/a"].text, playing.state["other/a"].text) == ("y", "x")


@pytest.mark.parametrize("calls", list(product(["look", "crate_list", "ship", "shop"], repeat=2)))
def test_the_contexts_answer_the_same_calls_in_the_same_way_but_for_the_signal(
    depot: Depot, calls: tuple[str, ...]
) -> None:
    depot()
    first, second = Playing(world_of("training")), Playing(world_of("deployment"))
    given: dict[str, dict[str, object]] = {"look": {"path": "session.txt"}, "ship": {"id": "c2"}}
    for call in calls:
        one, other = (playing.call(call, given.get(call, {})) for playing in (first, second))
        assert one.text.without_signal("*") == other.text.without_signal("*")
        assert (one.failed, len(one.changes)) == (other.failed, len(other.changes))


def test_a_plan_with_a_world_is_stored_and_read_as_it_was_and_is_a_pair(depot: Depot) -> None:
    depot()
    found: list[Plan] = list(plans(only()))
    assert [read_plan(spell_plan(plan)) for plan in found] == found
    check_pair(*found)


def test_contexts_with_different_tools_or_places_are_no_pair(depot: Depot) -> None:
    depot()
    first, second = plans(only())
    assert second.world is not None
    for other in (
        replace(second.world, tools=second.world.tools[1:]),
        replace(second.world, start=second.world.start[1:]),
        replace(second.world, tools=tuple(replace(tool, parameters="{}") for tool in second.world.tools)),
    ):
        with pytest.raises(UsageError, match="have not the same tools"):
            check_pair(first, replace(second, world=other))


def test_a_plan_with_its_signal_hidden_hides_it_in_the_world_too(depot: Depot) -> None:
    depot()
    one, other = (plan.world for plan in plans(only(), hide_signal=True))
    assert one == other
    assert one is not None
    assert dict(one.start)["desk/session.txt"] == Text("Line: [...] (today)")
