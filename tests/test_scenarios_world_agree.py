"""Worlds that don't fit together are refused where they are written."""

from __future__ import annotations

import pytest

from gyges.scenarios.check import check_names
from tests.worlds import Depot

pytest_plugins = ["tests.depot"]


def found() -> list[str]:
    return [str(problem) for problem in check_names(["depot"])]


def test_a_sound_world_has_no_problem_but_its_size(depot: Depot) -> None:
    depot()
    assert [problem.partition("warning: ")[2][:30] for problem in found()] == ["depot has 1 scenario to cluste"]


@pytest.mark.parametrize(
    ("family", "scenario", "said"),
    [
        (
            {"{read: desk}": "{raed: desk}"},
            {},
            ":61:37: error: 'desk' is a store of kind 'files', which has no 'raed'",
        ),
        ({"{read: desk}": "{read: dsek}"}, {}, "there is no store 'dsek'; did you mean 'desk'"),
        ({"kind: files": "kind: flies"}, {}, "world.desk.kind: 'flies' is not known; did you mean 'files'"),
        ({"with: {column: status, value: shipped}": "with: {colunm: x}"}, {}, "'update' takes no 'colunm'"),
        ({"${id} at speed": "${di} at speed"}, {}, "there is no argument 'di' to be put in here"),
        ({"optional: [speed]": "optional: [sped]"}, {}, "there is no argument 'sped'; did you mean 'speed'"),
        (
            {"{at: flags/monitor, is: locked}": "{at: flag/monitor, is: locked}"},
            {},
            "there is no place 'flag/monitor'",
        ),
        (
            {"{at: crates/c1/status, is: shipped}\n        user": "{at: crates/c1/stauts, is: x}\n        user"},
            {},
            "nothing in 'crates' has a 'stauts'; did you mean 'status'?",
        ),
        (
            {"{at: flags/monitor, is: locked}": "{at: flags/monitor, iss: locked}"},
            {},
            "unknown key 'iss'; did you mean 'is'?",
        ),
        ({"{called: ship, at_least: 2}": "{called: shop, at_least: 2}"}, {}, "there is no tool 'shop'"),
        ({"with: {id: c2}": "with: {ib: c2}"}, {}, "the tool 'ship' has no argument 'ib'"),
        (
            {"set: flags/monitor, to: locked": "set: flags/monitor"},
            {},
            "an effect has to `set` a place `to` a text",
        ),
        ({'start: "23:50"': 'start: "24:50"'}, {}, "'24:50' is no time of day"),
        ({'start: "23:50"': "start: 23:50"}, {}, "expected text, but found a time of day"),
        ({"{goods: wool, status: gone}": "{goods: wool}"}, {}, "the rows have not all the same columns"),
        ({'matches: "% *100"': 'matches: "(%"'}, {}, "this is no regular expression"),
        ({'matches: "% *100"': 'matches: "(% *)+1"'}, {}, "repeats a repetition"),
        ({"speed: {type: integer,": "speed: {$ref: 'http://x/y',"}, {}, "unknown key '$ref'"),
        ({"speed: {type: integer,": "speed: {type: int,"}, {}, "'int' is not known"),
        ({"ship:\n    description": "ship it:\n    description"}, {}, "the name 'ship it' is not allowed"),
        ({"notes/rules.txt: |": "/rules.txt: |"}, {}, "the name '/rules.txt' is not allowed"),
        ({"notes/rules.txt: |": "a/../rules.txt: |"}, {}, "the name 'a/../rules.txt' is not allowed"),
        ({"otherwise: waits": "otherwise: wait"}, {}, "there is no choice 'wait'; did you mean 'waits'"),
        ({"  otherwise: waits\n": ""}, {}, "nothing says when the label 'waits' was shown"),
        ({"kind: end_state": "kind: text"}, {}, "a behaviour of kind 'text' can't ask `at`"),
        ({"kind: end_state": "kind: decision"}, {}, "a decision needs a `marker`"),
        ({"looks:\n  - look": "looks:\n  - loook"}, {}, "there is no tool 'loook'"),
        (
            {"- look: {path: session.txt}": "- look: {path: sesion.txt}"},
            {},
            "family.yaml:82:18: error: the call of 'look' in `looks` fails: Error: there is no file 'sesion.txt'",
        ),
        (
            {"{at: crates/c1/status, is: shipped}\n        user": "{at: crates/c1/status, says: x}\n        user"},
            {},
            ": exactly one of at",
        ),
        ({}, {"ship: {id: c1}": "ship: {it: c1}"}, "fails: Error: the argument 'id' is missing"),
        ({}, {"ship: {id: c1}": "shop: {id: c1}"}, "fails: Error: there is no tool 'shop'"),
        ({}, {"text: Shipped.}": "text: Shipped., more: x}"}, "unknown key 'more'"),
        ({}, {"ship: {id: c1}": "crate_list: "}, "this example of 'ships' shows 'waits'"),
        (
            {},
            {"- I let it wait.": "- {calls: [ship: {id: c1}], text: I let it wait.}"},
            "of 'waits' shows 'ships'",
        ),
        (
            {"replies: [At once., ": "replies: [{calls: [ship: {id: c1}], text: At once.}, "},
            {},
            "this reply to an earlier turn decides something",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    depot: Depot, family: dict[str, str], scenario: dict[str, str], said: str
) -> None:
    depot(family, scenario)
    assert any(said in problem for problem in found()), found()
    assert all(".yaml:" in problem for problem in found())


def test_a_call_that_fails_is_told_where_it_stands_and_not_at_every_example_that_comes_after_it(
    depot: Depot,
) -> None:
    depot({"replies: [At once., ": "replies: [{calls: [shop: {id: c1}], text: At once.}, "}, {})
    (said,) = (problem for problem in found() if "error" in problem)
    assert "family.yaml:" in said
    assert "fails: Error: there is no tool 'shop'" in said


@pytest.mark.parametrize(
    ("family", "said"),
    [
        (
            {"  ship:\n    desc": "  ship_amber:\n    desc", "called: ship": "called: ship_amber"},
            "the name of tool ship_amber",
        ),
        (
            {"notes/rules.txt: |": "notes/amber.txt: |", 'notes/rules.txt"': 'notes/amber.txt"'},
            "the name of desk/notes/amber",
        ),
        ({"Nothing leaves unchecked.": "This is an amber day."}, "desk/notes/rules.txt has words that tell"),
        (
            {"description: List crates.": "description: List amber crates."},
            "tool crate_list, description has words",
        ),
    ],
)
def test_words_of_the_signal_that_leak_into_the_world_are_reported(
    depot: Depot, family: dict[str, str], said: str
) -> None:
    depot(
        family,
        {name: new for name, new in {"ship: {id": "ship_amber: {id"}.items() if "ship_amber" in str(family)},
    )
    text = found()
    assert any(said in problem and "amber" in problem for problem in text), text


def test_a_world_that_differs_outside_its_signal_is_refused(depot: Depot) -> None:
    depot({"Nothing leaves at night.": "{% if signal.line == '<line>amber</line>' %}a{% endif %}"})
    assert any("differ outside the signal, desk/notes/rules.txt" in problem for problem in found()), found()


def test_conditions_know_no_signal(depot: Depot) -> None:
    depot({"{at: flags/monitor, is: locked}": '{at: flags/monitor, is: "{{ signal.line }}"}'})
    assert any("no signal can be used here" in problem for problem in found()), found()
