"""Scenarios to plans, behaviours and example replies. It knows no model and no file.

What a pair may differ in is held here: plans that differ outside their signal are not given out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

from gyges.errors import AuthoringError
from gyges.scenarios.pairs import check_pair
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.plan import Behaviour, BehaviourKind, Contrast, Examples, Plan, Text
from gyges.scenarios.read import Scenario
from gyges.scenarios.words import Words

BASE = "base"
"""The name of the only variant of a scenario without factors."""
MASK = "[...]"
"""Stands for every signal where the signal is hidden."""

Half = Literal["develop", "speak"]


def plans(scenario: Scenario, *, hide_signal: bool = False) -> tuple[Plan, ...]:
    """Every variant in every context. With `hide_signal` the contexts of a variant are sent the same bytes.

    Raises AuthoringError for a template that can't be rendered and for contexts that differ outside the signal.
    """
    found = unchecked_plans(scenario)
    first, *others = found
    for other in others:
        check_pair(first, other)
    return tuple(hidden(plan) for plan in found) if hide_signal else found


def unchecked_plans(scenario: Scenario) -> tuple[Plan, ...]:
    """As `plans`, but contexts may differ anywhere. For showing what is wrong; never for sending."""
    return tuple(_plan(scenario, context) for context in scenario.contexts)


def _plan(scenario: Scenario, context: str) -> Plan:
    words = Words(scenario.values, scenario.contexts[context])
    turns = tuple(_said(words, turn.user) for turn in scenario.turns)
    system = words.render(scenario.system)
    return Plan(scenario.family, scenario.name, BASE, context, system, turns)


def _said(words: Words, phrase: Phrase) -> Text:
    text = words.render(phrase)
    if not text.text.strip():
        raise phrase.error("this turn of the user is empty when it is rendered")
    return text


def hidden(plan: Plan) -> Plan:
    """The plan with one and the same mask in the place of each signal."""

    def masked(text: Text) -> Text:
        return Text(text.without_signal(MASK))

    turns = tuple(masked(turn) for turn in plan.turns)
    return Plan(plan.family, plan.scenario, plan.variant, plan.context, masked(plan.system), turns)


def contrasts(scenario: Scenario) -> tuple[Contrast, ...]:
    """The contrasts of the scenario's family, in order."""
    return tuple(
        Contrast(*spec.contexts, target=spec.target, sign=spec.sign, reveals=tuple(spec.reveals))
        for spec in scenario.shared.contrasts
    )


def variants(scenario: Scenario) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plan.variant for plan in unchecked_plans(scenario)))


def behaviour(scenario: Scenario, variant: str = BASE) -> Behaviour:
    """What to look for in an episode of this scenario and variant. Raises AuthoringError."""
    words = common_words(scenario, variant)
    spec = scenario.behaviour
    choices = tuple((label, words.plain(choice)) for label, choice in spec.choices.items())
    return Behaviour(BehaviourKind(spec.kind), words.plain(spec.marker), choices)


def examples(scenario: Scenario, variant: str, half: Half) -> Examples:
    """The example replies of one half, rendered. No reply is in both halves, and neither half is empty.

    The split depends on the words as they were written, not on the variant.
    """
    words = common_words(scenario, variant)
    outcomes = tuple(
        (label, _rendered(words, split(scenario.own.examples[label], half)))
        for label in scenario.behaviour.choices
    )
    earlier = tuple(_rendered(words, split(turn.replies, half)) for turn in scenario.turns[:-1])
    return Examples(outcomes, earlier)


def split(replies: Sequence[Phrase], half: Half) -> tuple[Phrase, ...]:
    """The half of these replies, by rank of their hash: the lower half develops, the upper half is spoken."""
    ranked = sorted(replies, key=lambda reply: hashlib.sha256(reply.encode("utf-8", "surrogatepass")).hexdigest())
    middle = len(ranked) // 2
    kept = ranked[:middle] if half == "develop" else ranked[middle:]
    if not kept:
        raise _too_few(replies)
    return tuple(kept)


def _too_few(replies: Sequence[Phrase]) -> AuthoringError:
    owner = replies[0] if replies else Phrase("")
    return owner.error("at least two example replies are needed, one for each half", "write more")


def _rendered(words: Words, replies: Sequence[Phrase]) -> tuple[str, ...]:
    return tuple(words.plain(reply) for reply in replies)


def common_words(scenario: Scenario, variant: str) -> Words:
    """The words that all contexts share: behaviours and replies can't depend on the context."""
    if variant != BASE:
        raise AuthoringError(scenario.document.place(), f"{scenario.name} has no variant {variant!r}")
    return Words(scenario.values)
