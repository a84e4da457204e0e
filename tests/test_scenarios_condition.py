"""What holds in a world, and what does not."""

from __future__ import annotations

import pytest

from gyges.scenarios.condition import Called, Condition, Fits, Seen, first_that_holds, holds

SEEN = Seen(
    start={"a/x": "one", "a/y": "two", "a/z": "z"},
    state={"a/x": "One more ", "a/y": "two", "b/n": "new"},
    calls=[Called("send", {"to": "Ana", "n": "3"}), Called("send", {"to": "bo"})],
    answer="I did it.\nDone",
    tests={"r/one": Condition("at", "a/y"), "r/two": Condition("at", "a/q")},
)


def at(place: str, kind: str = "", words: str = "", **more: object) -> Condition:
    return Condition("at", place, Fits(kind, words) if kind else None, **more)  # type: ignore[arg-type]


def called(tool: str, at_least: int = 1, **arguments: Fits) -> Condition:
    return Condition("called", tool, arguments=tuple(arguments.items()), at_least=at_least)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (at("a/x", "is", " One more"), True),
        (at("a/x", "is", "one more"), False),
        (at("a/x", "contains", "ONE"), True),
        (at("a/x", "matches", "^One.*$"), True),
        (at("a/*", "contains", "two"), True),
        (at("a/*", "matches", "two|One", at_least=2), True),
        (at("a/*", "matches", "two|One", at_least=3), False),
        (at("a/q"), False),
        (at("b/n"), True),
        (at("a/z", state="gone"), True),
        (at("a/q", state="gone"), False),
        (at("a/x", state="changed"), True),
        (at("a/y", state="changed"), False),
        (at("a/z", state="changed"), True),
        (at("b/*", state="changed"), True),
        (called("send"), True),
        (called("send", 2), True),
        (called("send", 3), False),
        (called("s*"), True),
        (called("read"), False),
        (called("send", to=Fits("is", "Ana"), n=Fits("matches", "^3$")), True),
        (called("send", to=Fits("is", "bo"), n=Fits("is", "3")), False),
        (Condition("passes", "r/one"), True),
        (Condition("passes", "r"), False),
        (Condition("passes", "q"), False),
        (Condition("says", test=Fits("contains", "DID IT")), True),
        (Condition("says", test=Fits("matches", "^Done$")), True),
        (Condition("says", test=Fits("is", "Done")), False),
        (Condition("all", parts=(at("a/x"), at("a/q"))), False),
        (Condition("any", parts=(at("a/q"), at("a/x"))), True),
        (Condition("not", parts=(at("a/q"),)), True),
    ],
)
def test_a_condition_holds_or_not(condition: Condition, expected: bool) -> None:
    assert holds(condition, SEEN) is expected


def test_the_first_that_holds_tells() -> None:
    choices = [("no", at("a/q")), ("yes", at("a/x")), ("later", at("a/y"))]
    assert first_that_holds(choices, SEEN) == "yes"
    assert first_that_holds(choices[:1], SEEN) is None
