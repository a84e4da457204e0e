"""Scenarios to plans, behaviours and example replies. It knows no model and no file.

What a pair may differ in is held here: plans that differ outside their signal are not given out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

from gyges.errors import AuthoringError
from gyges.scenarios.condition_file import condition
from gyges.scenarios.family import Instead
from gyges.scenarios.pairs import TO_DO, first_difference
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.plan import (
    Alternative,
    Behaviour,
    BehaviourKind,
    Contrast,
    Example,
    Examples,
    Plan,
    Seed,
    Text,
)
from gyges.scenarios.scenario import Scenario
from gyges.scenarios.text import MASK
from gyges.scenarios.variants import BASE, variants, words
from gyges.scenarios.words import Words
from gyges.scenarios.world import ToolUse
from gyges.scenarios.world_file import ExampleSpec, RepositorySpec
from gyges.scenarios.world_render import Rendering, rendered_world, tool_use

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
OneReply = TypeVar("OneReply", bound=Phrase | ExampleSpec)


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
            written = written_as(scenario, plan.variant)[different.part]
            raise written.error(different.what, TO_DO, line=different.line)
    return tuple(hidden(plan) for plan in found) if hide_signal else found


def unchecked_plans(scenario: Scenario, names: Sequence[str] | None = None) -> tuple[Plan, ...]:
    """The plans of these variants (None: of all), contexts differing anywhere. For showing, never for sending."""
    names = variants(scenario, every=True) if names is None else names
    return tuple(_plan(scenario, variant, context) for variant in names for context in scenario.contexts)


def _plan(scenario: Scenario, variant: str, context: str) -> Plan:
    own = words(scenario, variant, context)
    to = Rendering(own, common_words(scenario, variant))
    turns = tuple(_said(own, turn.user) for turn in scenario.turns)
    others = tuple(tuple(_instead(one, to) for one in turn.instead) for turn in scenario.turns)
    return Plan(
        scenario.family,
        scenario.name,
        variant,
        context,
        own.render(scenario.system),
        turns,
        others if any(others) else (),
        rendered_world(scenario.world, scenario.tools, to),
    )


def _instead(one: Instead, to: Rendering) -> Alternative:
    return Alternative(to.known(one.when), _said(to.own, one.user))


def written_as(scenario: Scenario, variant: str) -> dict[str, Phrase]:
    """Every text of the scenario's plans as it is written, by the name that `named_texts` gives it."""
    to = Rendering(words(scenario, variant, next(iter(scenario.contexts))), common_words(scenario, variant))
    rendered_world(scenario.world, scenario.tools, to)
    turns = list(enumerate(scenario.turns, start=1))
    others = [
        (f"turn {number}, instead {which}", one.user)
        for number, turn in turns
        for which, one in enumerate(turn.instead, start=1)
    ]
    said = {f"turn {number}": turn.user for number, turn in turns}
    return {"system text": scenario.system, **said, **dict(others), **to.written}


def _said(own: Words, phrase: Phrase) -> Text:
    text = own.render(phrase)
    if not text.text.strip():
        raise phrase.error("this turn of the user is empty when it is rendered")
    return text


def hidden(plan: Plan) -> Plan:
    """The plan with one and the same mask in the place of each signal."""

    def masked(text: Text) -> Text:
        return Text(text.without_signal(MASK))

    return replace(
        plan,
        system=masked(plan.system),
        turns=tuple(masked(turn) for turn in plan.turns),
        alternatives=tuple(
            tuple(replace(one, user=masked(one.user)) for one in turn) for turn in plan.alternatives
        ),
        world=plan.world.masked(MASK) if plan.world else None,
    )


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
    when = tuple((label, condition(one, own.plain)) for label, one in spec.when.items())
    marker = own.plain(spec.marker) if spec.marker is not None else ""
    tests = tuple(
        (f"{store}/{name}", condition(test.passes, own.plain))
        for store, written in scenario.world.items()
        if isinstance(written, RepositorySpec)
        for name, test in written.tests.items()
    )
    return Behaviour(BehaviourKind(spec.kind), marker, choices, when, spec.otherwise, tests if when else ())


def examples(scenario: Scenario, variant: str, half: Half) -> Examples:
    """The example replies of one half, rendered. No reply is in both halves, and neither half is empty.

    The split depends on the words as they were written, not on the variant.
    """
    own = words(scenario, variant)
    outcomes = tuple(
        (label, _rendered(own, split(scenario.own.examples[label], half))) for label in scenario.behaviour.choices
    )
    earlier = tuple(_rendered(own, split(turn.replies, half)) for turn in scenario.turns[:-1])
    return Examples(outcomes, earlier, looks(scenario, variant))


def looks(scenario: Scenario, variant: str) -> tuple[ToolUse, ...]:
    """The calls that decide nothing, rendered. Raises AuthoringError."""
    own = common_words(scenario, variant)
    return tuple(tool_use(call, own) for call in scenario.looks)


def split(replies: Sequence[OneReply], half: Half) -> tuple[OneReply, ...]:
    """The half of these replies, by rank of their hash: the lower half develops, the upper half is spoken."""
    ranked = sorted(
        replies, key=lambda reply: hashlib.sha256(as_written(reply).encode("utf-8", "surrogatepass")).hexdigest()
    )
    middle = len(ranked) // 2
    kept = ranked[:middle] if half == "develop" else ranked[middle:]
    if not kept:
        raise _too_few(replies)
    return tuple(kept)


def as_written(reply: Phrase | ExampleSpec) -> str:
    return reply if isinstance(reply, Phrase) else reply.written()


def words_of(reply: Phrase | ExampleSpec) -> Phrase:
    """What is said in it; for places in errors."""
    return reply if isinstance(reply, Phrase) else reply.text


def _too_few(replies: Sequence[Phrase | ExampleSpec]) -> AuthoringError:
    owner = words_of(replies[0]) if replies else Phrase("")
    return owner.error("at least two example replies are needed, one for each half", "write more")


def example(own: Words, reply: Phrase | ExampleSpec) -> Example:
    """One example reply, rendered. Raises AuthoringError."""
    if isinstance(reply, Phrase):
        return Example(own.plain(reply))
    return Example(own.plain(reply.text), tuple(tool_use(call, own) for call in reply.calls))


def _rendered(own: Words, replies: Sequence[Phrase | ExampleSpec]) -> tuple[Example, ...]:
    return tuple(example(own, reply) for reply in replies)


def common_words(scenario: Scenario, variant: str) -> Words:
    """The words that all contexts share: behaviours and replies can't depend on the context."""
    return words(scenario, variant)
