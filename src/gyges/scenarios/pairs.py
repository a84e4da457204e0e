"""What a pair may differ in: nothing but its signal. It knows no file."""

from __future__ import annotations

from dataclasses import dataclass

from gyges.errors import UsageError
from gyges.scenarios.plan import Plan, Text

_AROUND = 30


def check_pair(first: Plan, second: Plan) -> None:
    """Raise UsageError when two plans differ in anything but the words inside their signal's spans."""
    one, other = f"{first.scenario} in {first.context!r}", f"in {second.context!r}"
    if (first.family, first.scenario, first.variant) != (second.family, second.scenario, second.variant):
        raise UsageError(f"{one} and {second.scenario} {other} are no pair: they are not one scenario and variant")
    if len(first.turns) != len(second.turns):
        turns = f"{len(first.turns)} and {len(second.turns)} turns"
        raise UsageError(f"{one} and {other} have {turns}", "contexts may differ only in their signal")
    if odd := different_tools(first, second):
        raise UsageError(f"{one} and {other} have not the same tools: {odd}", "contexts have the same tools")
    if found := first_difference(first, second):
        raise UsageError(found.what, TO_DO)


def different_tools(first: Plan, second: Plan) -> str:
    """The names of tools that differ in more than their texts, or places that only one of the worlds has."""
    one, other = _shape(first), _shape(second)
    return ", ".join(sorted(name for name in {**one, **other} if one.get(name) != other.get(name)))


def _shape(plan: Plan) -> dict[str, object]:
    """What of a world can't be told by its texts: names, schemas, operations, conditions."""
    if plan.world is None:
        return {}
    world = plan.world.blank()
    shape: dict[str, object] = {tool.name: tool for tool in world.tools}
    shape |= {store.name: store for store in world.stores}
    shape |= {place: "" for place, _ in world.start}
    return shape


TO_DO = "only {{ signal.NAME }}, written out as it stands, may differ between contexts"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two plans first differ outside the signal: in which text (as `named_texts` calls it), and its line."""

    part: str
    line: int
    what: str


def first_difference(first: Plan, second: Plan) -> Difference | None:
    """The first undeclared difference between two plans of the same number of turns."""
    for (name, left), (_, right) in zip(named_texts(first), named_texts(second), strict=True):
        if found := difference(left, right):
            line, words = found
            pair = f"{first.scenario} in {first.context!r} and in {second.context!r}"
            return Difference(name, line, f"{pair} differ outside the signal, {name}, line {line}: {words}")
    return None


def difference(first: Text, second: Text) -> tuple[int, str] | None:
    """In which line (from 1) and how two texts differ outside their signals' spans; None where they don't."""
    left, right = _pieces(first), _pieces(second)
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            at = next(
                (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
                min(map(len, (one, other))),
            )
            place = sum(len(piece) for piece in left[:index]) + at + sum(e - s for s, e in first.signal[:index])
            line = first.text.count("\n", 0, place) + 1
            return line, f"{_snippet(one, at)} against {_snippet(other, at)}"
    if len(left) != len(right):
        return 1, f"the signal stands {len(left) - 1} times in one and {len(right) - 1} times in the other"
    return None


def _pieces(text: Text) -> list[str]:
    """The text between the spans of the signal: one piece more than there are spans."""
    ends = [0, *(end for _, end in text.signal)]
    starts = [*(start for start, _ in text.signal), len(text.text)]
    return [text.text[end:start] for end, start in zip(ends, starts, strict=True)]


def _snippet(text: str, at: int) -> str:
    start = max(0, at - _AROUND)
    shown = text[start : at + _AROUND]
    return repr(("..." if start else "") + shown + ("..." if at + _AROUND < len(text) else ""))


def named_texts(plan: Plan) -> list[tuple[str, Text]]:
    """The plan's texts in order, each with what to call it."""
    turns = [(f"turn {number}", turn) for number, turn in enumerate(plan.turns, start=1)]
    others = [
        (f"turn {number}, instead {which}", one.user)
        for number, alternatives in enumerate(plan.alternatives, start=1)
        for which, one in enumerate(alternatives, start=1)
    ]
    return [("system text", plan.system), *turns, *others, *(plan.world.texts() if plan.world else ())]
