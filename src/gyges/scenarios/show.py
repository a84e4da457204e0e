"""Plans as lines for a terminal, the signal marked. It knows no terminal and no colour."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from difflib import SequenceMatcher

from gyges.scenarios.pairs import difference, different_tools, named_texts
from gyges.scenarios.plan import Plan, Text
from gyges.scenarios.read import Scenario
from gyges.scenarios.render import contrasts, unchecked_plans

OPEN, CLOSE = "\u27e6", "\u27e7"
"""Around every signal."""


def plan_lines(scenario: Scenario) -> list[str]:
    """Everything that would be sent, plan by plan. Raises AuthoringError for what can't be rendered."""
    lines = []
    for plan in unchecked_plans(scenario):
        lines.append(f"=== {plan.scenario}  variant {plan.variant}  context {plan.context}")
        for name, text in _written(plan):
            lines += [f"--- {name}", *_marked(text).split("\n")]
        lines += [*_tools(plan), ""]
    return lines


def _written(plan: Plan) -> list[tuple[str, Text]]:
    """The plan's texts, without the copies that a repository keeps of its last commit."""
    stores = plan.world.stores if plan.world else ()
    copies = tuple(f"{store.name}.base/" for store in stores if store.kind == "repository")
    return [(name, text) for name, text in named_texts(plan) if not name.startswith(copies)]


def _tools(plan: Plan) -> Iterator[str]:
    """The tools' names and parameters, as the model is told of them."""
    for tool in plan.world.tools if plan.world else ():
        does = f"{tool.operation} on {tool.store}" if tool.operation else "says its result"
        yield f"--- tool {tool.name} ({does}), parameters"
        yield safe(tool.parameters)


def difference_lines(scenario: Scenario) -> list[str]:
    """For every contrast and variant: the lines that differ, and what differs outside the signal as an error."""
    found = {(plan.variant, plan.context): plan for plan in unchecked_plans(scenario)}
    lines = []
    for variant in dict.fromkeys(variant for variant, _ in found):
        for contrast in contrasts(scenario):
            first, second = found[variant, contrast.first], found[variant, contrast.second]
            lines.append(f"=== {scenario.name}  variant {variant}  - {contrast.first}  + {contrast.second}")
            lines += [*_differences(first, second), ""]
    return lines


def _differences(first: Plan, second: Plan) -> Iterator[str]:
    one, other = _written(first), _written(second)
    if len(one) != len(other):
        yield f"ERROR {len(first.turns)} turns against {len(second.turns)}"
    if odd := different_tools(first, second):
        yield f"ERROR the contexts have not the same tools: {odd}"
    same = True
    for (name, left), (_, right) in zip(one, other, strict=False):
        if (left.text, left.signal) != (right.text, right.signal):
            same = False
            yield f"--- {name}"
            yield from _changed(_marked(left).split("\n"), _marked(right).split("\n"))
        if undeclared := difference(left, right):
            yield f"ERROR outside the signal, {name}, line {undeclared[0]}: {safe(undeclared[1])}"
    if same:
        yield "the contexts send the same words: there is no signal in them"


def _changed(left: list[str], right: list[str]) -> Iterator[str]:
    """The lines that differ, with one line around them."""
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    for group in matcher.get_grouped_opcodes(1):
        for kind, start, end, other_start, other_end in group:
            if kind == "equal":
                yield from (f"  {line}" for line in left[start:end])
            else:
                yield from (f"- {line}" for line in left[start:end])
                yield from (f"+ {line}" for line in right[other_start:other_end])


def _marked(text: Text) -> str:
    parts, at = [], 0
    for start, end in text.signal:
        parts += [safe(text.text[at:start]), OPEN, safe(text.text[start:end]), CLOSE]
        at = end
    return "".join([*parts, safe(text.text[at:])])


def safe(text: str) -> str:
    """The text with whatever a terminal would act on written as an escape."""
    return "".join(letter if _harmless(letter) else repr(letter)[1:-1] for letter in text)


def _harmless(letter: str) -> bool:
    # Cc: control; Cf: bidirectional overrides and other invisible letters; Cs: halves of surrogate pairs.
    return letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
