"""The variants of a scenario: its factors' levels combined, and its controls. It renders nothing.

A variant's name says what it is: `base` where there are no factors, else `order=first_last,wording=plain`; in
a control's arm with the control before it, as in `placebo:base`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import count, islice, product
from math import prod
from typing import get_args

from gyges.errors import UsageError
from gyges.scenarios.nearest import nearest
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.plan import Control, Seed, control_of
from gyges.scenarios.scenario import Scenario
from gyges.scenarios.words import Words

BASE = "base"
MAX_EVERY = 1000
"""With `draw`, levels may combine to more variants than anyone wants to see."""
CONTROLS: tuple[Control, ...] = get_args(Control)
Levels = Mapping[str, str]
"""By factor, the level."""


def controls(scenario: Scenario) -> tuple[Control, ...]:
    """The controls that the scenario or its family gives."""
    return tuple(control for control in CONTROLS if getattr(scenario.controls, control))


def variants(
    scenario: Scenario, *, controls: Collection[str] = (), seed: Seed | None = None, every: bool = False
) -> tuple[str, ...]:
    """The names of the variants to play: the experiment's, then those of each control that is asked for.

    Where the author wants fewer than there are (`draw`), they are drawn with `seed`, the same ones for the
    experiment and its controls. With `every`, all there are (the first MAX_EVERY) and all controls. Raises
    UsageError for a control that is none.
    """
    for control in controls:
        if control not in CONTROLS:
            raise UsageError(f"there is no control {control!r}", nearest(control, CONTROLS))
    drawn = islice(_all(scenario), MAX_EVERY) if every else _drawn(scenario, seed or Seed(0))
    names = [variant_name(levels) for levels in drawn]
    wanted = [control for control in _given(scenario) if every or control in controls]
    return (*names, *(f"{control}:{name}" for control in wanted for name in names))


_given = controls


def variant_name(levels: Levels) -> str:
    return ",".join(f"{factor}={level}" for factor, level in sorted(levels.items())) or BASE


def words(scenario: Scenario, variant: str, context: str | None = None) -> Words:
    """The words of one variant in one context; without a context, those that all contexts share.

    Raises UsageError for a variant that the scenario does not have.
    """
    control, base = control_of(variant)
    values: dict[str, Phrase] = {**scenario.values, **_level_values(scenario, variant, base)}
    if control is not None and control not in controls(scenario):
        raise UsageError(f"{scenario.name} has no control {control!r}", nearest(control, controls(scenario)))
    if control == "null":
        values |= scenario.controls.null
    if control == "swap" and scenario.controls.swap:
        one, other = scenario.controls.swap
        values[one], values[other] = values[other], values[one]
    return Words(values, _signals(scenario, control, context), scenario.passages)


def _signals(scenario: Scenario, control: Control | None, context: str | None) -> Mapping[str, Phrase] | None:
    if context is None:
        return None
    if control == "placebo":
        position = list(scenario.contexts).index(context)
        return {name: cues[position] for name, cues in scenario.controls.placebo.items()}
    return scenario.contexts[context]


def _level_values(scenario: Scenario, variant: str, base: str) -> dict[str, Phrase]:
    pairs = [] if base == BASE else [part.partition("=")[::2] for part in base.split(",")]
    levels = dict(pairs)
    known = scenario.factors
    if set(levels) != set(known) or any(level not in known[factor] for factor, level in levels.items()):
        some = [variant_name(one) for one, _ in zip(_all(scenario), range(100), strict=False)]
        raise UsageError(f"{scenario.name} has no variant {variant!r}", nearest(variant, some))
    return {name: text for factor, level in levels.items() for name, text in known[factor][level].items()}


def _all(scenario: Scenario) -> Iterator[Levels]:
    """All combinations that the author allows, in the order of writing."""
    factors = scenario.factors
    combine = product if scenario.combine == "cross" else _side_by_side
    for levels in combine(*factors.values()):
        yield dict(zip(factors, levels, strict=True))


def _side_by_side(*levels: Collection[str]) -> Iterator[tuple[str, ...]]:
    return zip(*levels, strict=True) if levels else iter([()])


def _drawn(scenario: Scenario, seed: Seed) -> list[Levels]:
    """As many variants as the author wants, levels dealt out as evenly as they go."""
    sizes = [len(levels) for levels in scenario.factors.values()]
    there_are = (prod(sizes) if scenario.combine == "cross" else sizes[0]) if sizes else 1
    if scenario.draw is None or scenario.draw >= there_are:
        return list(_all(scenario))
    node = seed.child("variants", scenario.name)
    if scenario.combine == "zip":
        return sorted(_all(scenario), key=lambda levels: node.child(variant_name(levels)).hex())[: scenario.draw]
    decks = [_dealt(levels, node.child(factor)) for factor, levels in scenario.factors.items()]
    drawn: dict[str, Levels] = {}
    for hand in zip(*decks, strict=True):
        levels = dict(zip(scenario.factors, hand, strict=True))
        drawn.setdefault(variant_name(levels), levels)
        if len(drawn) == scenario.draw:
            break
    return list(drawn.values())


def _dealt(levels: Collection[str], node: Seed) -> Iterator[str]:
    """The levels for ever, in rounds that hold each of them once, each round in an order of its own."""
    for number in count():
        yield from sorted(levels, key=lambda level: node.child(number, level).hex())
