"""Scenarios to plans, behaviours and example replies. It knows no model and no file.

What a pair may differ in is held here: plans that differ outside their signal are not given out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Literal

from gyges.errors import AuthoringError
from gyges.scenarios.pairs import TO_DO, first_difference
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.plan import Behaviour, BehaviourKind, Contrast, Examples, Plan, Seed, Text
from gyges.scenarios.scenario import Scenario
from gyges.scenarios.variants import BASE, variants, words
from gyges.scenarios.words import Words

MASK = "[...]"
"""Stands for every signal where the signal is hidden."""

__all__ = [
    "BASE",
    "MASK",
    "behaviour",
    "common_words",
    "contrasts",
    "examples",
    "hidden",
    "plans",
    "split",
    "unchecked_plans",
    "variants",
]

Half = Literal["develop", "speak"]


def plans(
    scenario: Scenario,
    *,
    hide_signal: bool = False,
    controls: Collection[str] = (),
    seed: Seed | None = None,
    every: bool = False,
) -> tuple[Plan, ...]:
    """Every variant (see `variants`) in every context. With `hide_signal` all contexts are sent the same bytes.

    Raises AuthoringError for a template that can't be rendered and for contexts that differ outside the signal.
    """
    found = unchecked_plans(scenario, variants(scenario, controls=controls, seed=seed, every=every))
    first: dict[str, Plan] = {}
    for plan in found:
        if different := first_difference(first.setdefault(plan.variant, plan), plan):
            written = [scenario.system, *(turn.user for turn in scenario.turns)][different.part]
            raise written.error(different.what, TO_DO, line=different.line)
    return tuple(hidden(plan) for plan in found) if hide_signal else found


def unchecked_plans(scenario: Scenario, names: Sequence[str] | None = None) -> tuple[Plan, ...]:
    """The plans of these variants (None: of all), contexts differing anywhere. For showing, never for sending."""
    names = variants(scenario, every=True) if names is None else names
    return tuple(_plan(scenario, variant, context) for variant in names for context in scenario.contexts)


def _plan(scenario: Scenario, variant: str, context: str) -> Plan:
    own = words(scenario, variant, context)
    turns = tuple(_said(own, turn.user) for turn in scenario.turns)
    return Plan(scenario.family, scenario.name, variant, context, own.render(scenario.system), turns)


def _said(own: Words, phrase: Phrase) -> Text:
    text = own.render(phrase)
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


def behaviour(scenario: Scenario, variant: str = BASE) -> Behaviour:
    """What to look for in an episode of this scenario and variant. Raises AuthoringError."""
    own = words(scenario, variant)
    spec = scenario.behaviour
    choices = tuple((label, own.plain(choice)) for label, choice in spec.choices.items())
    return Behaviour(BehaviourKind(spec.kind), own.plain(spec.marker), choices)


def examples(scenario: Scenario, variant: str, half: Half) -> Examples:
    """The example replies of one half, rendered. No reply is in both halves, and neither half is empty.

    The split depends on the words as they were written, not on the variant.
    """
    own = words(scenario, variant)
    outcomes = tuple(
        (label, _rendered(own, split(scenario.own.examples[label], half))) for label in scenario.behaviour.choices
    )
    earlier = tuple(_rendered(own, split(turn.replies, half)) for turn in scenario.turns[:-1])
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


def _rendered(own: Words, replies: Sequence[Phrase]) -> tuple[str, ...]:
    return tuple(own.plain(reply) for reply in replies)


def common_words(scenario: Scenario, variant: str) -> Words:
    """The words that all contexts share: behaviours and replies can't depend on the context."""
    return words(scenario, variant)
