"""What a pair may differ in: nothing but its signal. It knows no file."""

from __future__ import annotations

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
    for (name, left), (_, right) in zip(named_texts(first), named_texts(second), strict=True):
        if found := difference(left, right):
            to_do = "only {{ signal.NAME }}, written out as it stands, may differ between contexts"
            raise UsageError(f"{one} and {other} differ outside the signal, {name}, {found}", to_do)


def difference(first: Text, second: Text) -> str:
    """Where and how two texts differ outside their signals' spans; "" where they don't."""
    left, right = _pieces(first), _pieces(second)
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            at = next(
                (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
                min(map(len, (one, other))),
            )
            place = sum(len(piece) for piece in left[:index]) + at + sum(e - s for s, e in first.signal[:index])
            line = first.text.count("\n", 0, place) + 1
            return f"line {line}: {_snippet(one, at)} against {_snippet(other, at)}"
    if len(left) != len(right):
        return f"the signal stands {len(left) - 1} times in one and {len(right) - 1} times in the other"
    return ""


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
    return [("system text", plan.system), *turns]
