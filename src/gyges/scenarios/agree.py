"""What the parts of a family and its scenarios have to agree on, beyond what each key may say. It renders none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from gyges.errors import AuthoringError
from gyges.scenarios.family import FamilyFile, Turn
from gyges.scenarios.nearest import nearest
from gyges.scenarios.nodes import Document, Step
from gyges.scenarios.scenario import Scenario
from gyges.scenarios.world_agree import check_world

MAX_VARIANTS = 1000
"""Of one scenario. With `draw`, levels may combine to more."""
_RESERVED = frozenset({"signal", "range", "loop", "self", "super", "caller", "varargs", "kwargs"}) | {
    *("and", "or", "not", "in", "is", "if", "else", "elif", "for", "set", "true", "false", "none"),
    *("macro", "block", "include", "import", "filter", "call", "with", "recursive", "without", "context"),
}
"""Words with a meaning in templates."""


def check_family(family: FamilyFile, document: Document) -> None:
    """Raise AuthoringError for contexts, contrasts and turns that don't fit together."""
    _check_words(family.values, document, ["values"])
    contexts = list(family.contexts)
    signals = set(family.contexts[contexts[0]])
    for name in contexts[1:]:
        if odd := ", ".join(sorted(set(family.contexts[name]) ^ signals)):
            what = f"the contexts {contexts[0]!r} and {name!r} don't give the same signals: {odd}"
            raise document.error(document.key_at(["contexts", name]), what, "give every signal in every context")
    for index, contrast in enumerate(family.contrasts):
        path: list[Step] = ["contrasts", index, "contexts"]
        for position, context in enumerate(contrast.contexts):
            if context not in family.contexts:
                node = document.at([*path, position])
                raise document.error(node, f"there is no context {context!r}", nearest(context, contexts))
        if contrast.contexts[0] == contrast.contexts[1]:
            raise document.error(document.at(path), "a contrast compares two different contexts")
    _check_turns(family.turns, document)


def check_scenario(scenario: Scenario, family: Document) -> None:
    """Raise AuthoringError for a scenario whose parts don't fit together or don't fit its family."""
    own, document = scenario.own, scenario.document
    if own.canary != scenario.shared.canary:
        to_do = f"copy the line of {family.file.name}"
        raise document.error(document.at(["canary"]), "the canary differs from the family's", to_do)
    _check_words(own.values, document, ["values"])
    _check_turns(own.turns, document)
    for key, given in (("turns", scenario.turns), ("behaviour", own.behaviour or scenario.shared.behaviour)):
        if not given:
            to_do = f"add it to {family.file.name} or to the scenario"
            raise document.error(document.root, f"neither the family nor the scenario has {key!r}", to_do)
    check_world(scenario, family)
    _check_labels(scenario, family)
    _check_factors(scenario, family)
    _check_controls(scenario, family)


def _check_words(names: Iterable[str], document: Document, path: Sequence[Step]) -> None:
    for name in names:
        if name in _RESERVED:
            what = f"{name!r} has a meaning of its own in templates"
            raise document.error(document.key_at([*path, name]), what, "choose another name for the value")


def _check_turns(turns: Sequence[Turn], document: Document) -> None:
    for index, turn in enumerate(turns[:-1]):
        if len(turn.replies) < 2:
            what = "a turn before the last needs at least two example replies that decide nothing"
            raise document.error(document.at(["turns", index]), what, "add `replies:` with two or more")
    if turns and turns[-1].replies:
        node = document.key_at(["turns", len(turns) - 1, "replies"])
        raise document.error(node, "replies to the last turn belong in the scenario's `examples`")


def _check_labels(scenario: Scenario, family: Document) -> None:
    document, labels = scenario.document, list(scenario.behaviour.choices)
    for index, contrast in enumerate(scenario.shared.contrasts):
        if contrast.target not in labels:
            path: list[Step] = (
                ["behaviour", "choices"] if scenario.own.behaviour else ["contrasts", index, "target"]
            )
            what = f"the target {contrast.target!r} is no behaviour label"
            raise _error(scenario, family, path, what, nearest(contrast.target, labels))
    for label in scenario.own.examples:
        if label not in labels:
            node = document.key_at(["examples", label])
            raise document.error(node, f"there is no behaviour label {label!r}", nearest(label, labels))
    for label in labels:
        if label not in scenario.own.examples:
            raise document.error(document.at(["examples"]), f"there are no examples of {label!r}", "add some")


def _check_factors(scenario: Scenario, family: Document) -> None:
    owner: dict[str, str] = {}
    for factor, levels in scenario.factors.items():
        first, *others = levels
        for level in others:
            if odd := ", ".join(sorted(set(levels[first]) ^ set(levels[level]))):
                what = f"the levels {first!r} and {level!r} don't give the same values: {odd}"
                raise _error(scenario, family, ["factors", factor, level], what, "give every value in every level")
        for name in levels[first]:
            path: list[Step] = ["factors", factor, first, name]
            if name in _RESERVED:
                raise _error(scenario, family, path, f"{name!r} has a meaning of its own in templates")
            if name in owner or name in scenario.values:
                other = f"the factor {owner[name]!r}" if name in owner else "`values`"
                raise _error(scenario, family, path, f"{other} gives {name!r} too", "give it in one place")
            owner[name] = factor
    counts = [len(levels) for levels in scenario.factors.values()]
    if scenario.combine == "zip" and len(set(counts)) > 1:
        found = ", ".join(f"{factor} {count}" for factor, count in zip(scenario.factors, counts, strict=True))
        raise _error(scenario, family, ["factors"], f"zipped factors need as many levels each, and have: {found}")
    if scenario.combine == "cross" and not scenario.draw and prod(counts) > MAX_VARIANTS:
        what = f"the levels combine to {prod(counts):,} variants, and the limit is {MAX_VARIANTS:,}"
        raise _error(scenario, family, ["factors"], what, "add `draw:` with the number of variants to play")


def _check_controls(scenario: Scenario, family: Document) -> None:
    controls = scenario.controls
    values = set(scenario.values) | {
        name for levels in scenario.factors.values() for level in levels.values() for name in level
    }
    for name in controls.null:
        if name not in values:
            what = f"there is no value {name!r} to replace"
            raise _error(scenario, family, ["controls", "null", name], what, nearest(name, values))
    for name in controls.swap or ():
        if name not in scenario.values:
            what = f"there is no value {name!r} to exchange"
            raise _error(scenario, family, ["controls", "swap"], what, nearest(name, scenario.values))
    if controls.swap and controls.swap[0] == controls.swap[1]:
        raise _error(scenario, family, ["controls", "swap"], "a swap exchanges two different values")
    if controls.placebo and (odd := set(controls.placebo) ^ set(scenario.signals)):
        what = f"a placebo takes the place of every signal, and this differs: {', '.join(sorted(odd))}"
        raise _error(scenario, family, ["controls", "placebo"], what, f"signals: {', '.join(scenario.signals)}")
    for name, cues in controls.placebo.items():
        if len(cues) != len(scenario.contexts):
            what = f"{len(cues)} cues for {len(scenario.contexts)} contexts"
            to_do = f"give one for each, in this order: {', '.join(scenario.contexts)}"
            raise _error(scenario, family, ["controls", "placebo", name], what, to_do)


def _error(scenario: Scenario, family: Document, path: list[Step], what: str, to_do: str = "") -> AuthoringError:
    """An error at `path` in the scenario's own file if it goes that far, else in its family's."""
    own = scenario.document
    for depth in range(len(path), 1, -1):
        for document in (own, family):
            if _has(document, path[:depth]):
                return document.error(document.key_at(path[:depth]), what, to_do)
    document = own if _has(own, path[:1]) else family
    return document.error(document.key_at(path[:1]), what, to_do)


def _has(document: Document, path: Sequence[Step]) -> bool:
    return any(name == path[-1] for name, _ in document.at(path[:-1]).children())
