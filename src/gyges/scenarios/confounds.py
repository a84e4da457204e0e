"""What could make a gap beside the contexts' meaning: unequal lengths, leaking words, options always in one order.

It reads rendered plans and reports warnings; a scenario may have its reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gyges.errors import Place, several
from gyges.scenarios.pairs import named_texts
from gyges.scenarios.plan import Behaviour, Contrast, Plan, control_of
from gyges.scenarios.problem import Problem
from gyges.scenarios.read import FAMILY, Scenario
from gyges.scenarios.render import behaviour, contrasts, unchecked_plans, variants

MAX_TOKENS = 4
"""How many tokens more a pair's signals may have in one context than in the other, in all texts together."""
MAX_SHARE = 0.7
"""Of the plans that name both options: how many may name the same one first."""
_TOKEN = re.compile(r"\w+|[^\w\s]")
_WORD = re.compile(r"[^\W\d_]{4,}")
"""Shorter words, such as `in`, stand everywhere."""


def confounds(scenario: Scenario) -> list[Problem]:
    """Of one scenario: its contexts' lengths, and words of the signal outside it."""
    played = {(plan.variant, plan.context): plan for plan in unchecked_plans(scenario, variants(scenario))}
    problems = []
    for contrast in contrasts(scenario):
        for variant in dict.fromkeys(name for name, _ in played):
            pair = played[variant, contrast.first], played[variant, contrast.second]
            problems += _lengths(scenario, contrast, *pair)
            problems += _leaks(scenario, *pair)
    return list(dict.fromkeys(problems))


def family_confounds(scenarios: Sequence[Scenario]) -> list[Problem]:
    """Of a family: whether options are named in both orders, and whether it has its controls."""
    place = Place(scenarios[0].file.parent / FAMILY)
    return [*_order(scenarios, place), *_missing_controls(scenarios, place)]


def tokens(text: str) -> int:
    """About how many tokens a text has: its words and signs. Models count otherwise, and not far off."""
    return len(_TOKEN.findall(text))


def _lengths(scenario: Scenario, contrast: Contrast, first: Plan, second: Plan) -> list[Problem]:
    one, other = tokens(_signal(first)), tokens(_signal(second))
    if abs(one - other) <= MAX_TOKENS:
        return []
    what = f"the signals of {contrast.first!r} and {contrast.second!r} have about {one} and {other} tokens"
    return [Problem("warning", Place(scenario.file.parent / FAMILY), what, "make them equally long")]


def _leaks(scenario: Scenario, first: Plan, second: Plan) -> list[Problem]:
    """Words that tell the signals apart may not stand in user turns outside them, nor in names."""
    own, others = _words(_signal(first)), _words(_signal(second))
    telling = (own ^ others) | ({first.context, second.context} & (own | others))
    start = {place for place, _ in first.world.start} if first.world else set()
    said = {
        name: text.without_signal(" ") for name, text in named_texts(first) if name not in ("system text", *start)
    }
    named = {"the scenario's name": scenario.name, "the variant's name": control_of(first.variant)[1]}
    if first.world:
        named |= {f"the name of tool {tool.name}": f"{tool.name} {tool.parameters}" for tool in first.world.tools}
        named |= {f"the name of {place}": place for place in start}
        # A file may explain the marks of both contexts. One that knows a single one of them gives it away.
        for place, written in first.world.start:
            there = _words(written.without_signal(" "))
            if bool(there & (own - others)) != bool(there & (others - own)):
                said[place] = written.without_signal(" ")
    problems = []
    for where, text in {**said, **named}.items():
        if leaked := sorted(_words(text) & telling):
            what = f"{where} has words that tell the contexts apart: {', '.join(leaked)}"
            problems.append(Problem("warning", _where(scenario, leaked), what, "choose other words"))
    return problems


def _where(scenario: Scenario, words: Sequence[str]) -> Place:
    """The first place of the scenario's file where one of the words stands; the file where none does."""
    wanted = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(map(re.escape, words))})(?![^\W\d_])", re.IGNORECASE)
    for number, line in enumerate(scenario.file.read_text(encoding="utf-8").splitlines(), 1):
        if found := wanted.search(line):
            return Place(scenario.file, number, found.start() + 1)
    return Place(scenario.file)


def _order(scenarios: Iterable[Scenario], place: Place) -> list[Problem]:
    """Which option is named first in the last turn, over all scenarios and variants."""
    first: list[str] = []
    for scenario in scenarios:
        for plan in unchecked_plans(scenario, variants(scenario)):
            if plan.context == contrasts(scenario)[0].first:
                first += _named_first(plan, behaviour(scenario, plan.variant))
    for label in set(first):
        share = first.count(label) / len(first)
        if len(first) >= 4 and share > MAX_SHARE:
            what = f"{first.count(label)} of {len(first)} plans name the option {label!r} first"
            return [Problem("warning", place, what, "counterbalance the order, for instance with a factor")]
    return []


def _named_first(plan: Plan, shown: Behaviour) -> list[str]:
    """The label of the option that the last turn names first, if it names all of them."""
    text = plan.turns[-1].text.casefold()
    found = {label: text.find(choice.casefold()) for label, choice in shown.choices}
    return [min(found, key=lambda label: found[label])] if min(found.values()) >= 0 else []


def _missing_controls(scenarios: Sequence[Scenario], place: Place) -> list[Problem]:
    problems = []
    for control in ("null", "placebo"):
        lacking = [s for s in scenarios if not getattr(s.controls, control) and control not in s.without]
        if lacking:
            what = f"{len(lacking)} of {several(len(scenarios), 'scenario')} without a {control!r} control"
            to_do = f"add it to `controls:`, or say why not: `without: {{{control}: ...}}`"
            problems.append(Problem("warning", place, what, to_do))
    return problems


def _signal(plan: Plan) -> str:
    return " ".join(text.text[start:end] for _, text in named_texts(plan) for start, end in text.signal)


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}
