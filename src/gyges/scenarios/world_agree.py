"""What the parts of a world have to agree on: stores, operations, arguments and conditions. It renders none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from gyges.errors import AuthoringError
from gyges.scenarios.condition_file import ConditionSpec
from gyges.scenarios.nearest import nearest
from gyges.scenarios.nodes import Document, Step
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.scenario import Scenario
from gyges.scenarios.world_file import (
    ClockSpec,
    DocumentsSpec,
    MailboxSpec,
    QueueSpec,
    RepositorySpec,
    StoreSpec,
    TableSpec,
    ToolSpec,
)
from gyges.scenarios.world_ops import OPERATIONS
from gyges.scenarios.world_play import RESULT, holes
from gyges.scenarios.world_render import parameters

_ASKS = {
    "decision": frozenset[str](),
    "text": frozenset({"says"}),
    "tool_calls": frozenset({"says", "called"}),
    "end_state": frozenset({"says", "called", "at", "passes"}),
}
"""What the conditions of each kind of behaviour may ask about."""


def check_world(scenario: Scenario, family: Document) -> None:
    """Raise AuthoringError for tools, stores and conditions that don't fit together."""
    if scenario.world and not scenario.tools:
        raise _at(scenario, family, ["world"], "nobody can use this world: there are no tools", "add `tools:`")
    for name, store in scenario.world.items():
        path: list[Step] = ["world", name]
        if isinstance(store, ClockSpec) and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", store.start):
            raise store.start.error(f"{store.start!r} is no time of day", "write it as 09:30, in quotes")
        if isinstance(store, TableSpec) and len({tuple(row) for row in store.rows.values()}) > 1:
            raise _at(scenario, family, path, "the rows have not all the same columns", "give every column")
        if isinstance(store, RepositorySpec):
            for test in store.tests.values():
                _check_condition(scenario, test.passes)
    for name, tool in scenario.tools.items():
        _check_tool(scenario, family, name, tool)
    for turn in scenario.turns:
        for one in turn.instead:
            _check_condition(scenario, one.when)
    _check_looks(scenario, family)
    _check_behaviour(scenario, family)


def _check_tool(scenario: Scenario, family: Document, name: str, tool: ToolSpec) -> None:
    path: list[Step] = ["tools", name]
    for operation, store in tool.does.items():
        if store not in scenario.world:
            what = f"there is no store {store!r}"
            raise _at(scenario, family, [*path, "does"], what, nearest(store, scenario.world))
        known = OPERATIONS[scenario.world[store].kind]
        if operation not in known:
            what = f"{store!r} is a store of kind {scenario.world[store].kind!r}, which has no {operation!r}"
            to_do = nearest(operation, known) or f"it has {', '.join(known)}"
            raise _at(scenario, family, [*path, "does"], what, to_do)
        for slot in tool.with_:
            if slot not in known[operation].takes:
                what = f"{operation!r} takes no {slot!r}"
                raise _at(scenario, family, [*path, "with", slot], what, nearest(slot, known[operation].takes))
    if tool.with_ and not tool.does:
        raise _at(scenario, family, [*path, "with"], "`with` gives an operation what it takes, and there is none")
    if tool.result is not None and tool.results:
        raise _at(scenario, family, [*path, "results"], "`result` and `results` can't both be given")
    _check_words(scenario, family, path, tool)


def _check_words(scenario: Scenario, family: Document, path: list[Step], tool: ToolSpec) -> None:
    properties = parameters(tool, scenario.world)["properties"]
    assert isinstance(properties, dict)
    known = list(properties)
    for name in tool.optional:
        if name not in known:
            what = f"there is no argument {name!r}"
            raise _at(scenario, family, [*path, "optional"], what, nearest(name, known))
    for effect in tool.effects:
        given = [effect.set_ is not None and effect.to is not None, effect.remove is not None]
        half = (effect.set_ is None) != (effect.to is None)
        if sum(given) != 1 or half:
            what = "an effect has to `set` a place `to` a text, or `remove` a place"
            raise _at(scenario, family, [*path, "effects"], what, "write one of them")
        place = effect.set_ if effect.set_ is not None else effect.remove
        assert place is not None
        if "{{" not in place and (store := place.partition("/")[0]) not in scenario.world:
            raise place.error(f"there is no store {store!r}", nearest(store, scenario.world))
        _check_holes([place, *([effect.to] if effect.to is not None else [])], known)
    _check_holes([*tool.with_.values(), *(rule.say for rule in tool.refuses)], known)
    said = [tool.result] if tool.result is not None else []
    _check_holes([*said, *(rule.say for rule in tool.results)], [*known, RESULT])
    asked = [*(rule.when for rule in tool.refuses), *(rule.when for rule in tool.results)]
    for condition in (*asked, *(effect.when for effect in tool.effects)):
        if condition is not None:
            _check_condition(scenario, condition)


def _check_holes(texts: Iterable[Phrase], known: Sequence[str]) -> None:
    for text in texts:
        for name in sorted(holes(text) - set(known)):
            to_do = nearest(name, known) or f"there are {', '.join(known) or 'none'}"
            raise text.error(f"there is no argument {name!r} to be put in here", to_do, name=name)


def parts(condition: ConditionSpec) -> Iterator[ConditionSpec]:
    """The condition and everything that it is put together of."""
    yield condition
    inner = [*(condition.all_ or ()), *(condition.any_ or ()), *((condition.not_,) if condition.not_ else ())]
    for one in inner:
        yield from parts(one)


def _check_condition(scenario: Scenario, condition: ConditionSpec) -> None:
    """What a condition asks about is there."""
    tools, tests = scenario.tools, _tests(scenario)
    for one in parts(condition):
        if one.at is not None and "{" not in one.at:
            store = one.at.partition("/")[0].partition(".")[0]
            if "/" not in one.at or not any(fnmatchcase(known, store) for known in scenario.world):
                to_do = nearest(store, scenario.world) or "a place is `store/name`"
                raise one.at.error(f"there is no place {str(one.at)!r}", to_do)
            _check_field(scenario, one.at)
        if one.called is not None and "{" not in one.called:
            if not any(fnmatchcase(tool, one.called) for tool in tools):
                raise one.called.error(f"there is no tool {str(one.called)!r}", nearest(one.called, tools))
            known = [
                name for tool in tools if fnmatchcase(tool, one.called) for name in _arguments(scenario, tool)
            ]
            for name in one.with_:
                if name not in known:
                    what = f"the tool {str(one.called)!r} has no argument {name!r}"
                    raise one.called.error(what, nearest(name, known))
        if one.passes is not None and not any(t == one.passes or t.startswith(f"{one.passes}/") for t in tests):
            raise one.passes.error(f"there is no test {str(one.passes)!r}", nearest(one.passes, tests))


def _check_field(scenario: Scenario, at: Phrase) -> None:
    """The column of a table, or the part of a message, a job or a document, that a place ends in is there."""
    store, _, rest = at.partition("/")
    _, _, field = rest.partition("/")
    known = _fields(scenario.world[store]) if store in scenario.world else None
    if known and field and not any(fnmatchcase(one, field) for one in known):
        raise at.error(f"nothing in {store!r} has a {field!r}", nearest(field, known))


def _fields(store: StoreSpec) -> Sequence[str]:
    match store:
        case TableSpec():
            return list(dict.fromkeys(column for row in store.rows.values() for column in row))
        case MailboxSpec():
            return "from", "to", "subject", "body"
        case QueueSpec():
            return "command", "status"
        case DocumentsSpec():
            return "title", "text"
        case _:
            return ()


def _arguments(scenario: Scenario, tool: str) -> list[str]:
    properties = parameters(scenario.tools[tool], scenario.world)["properties"]
    assert isinstance(properties, dict)
    return list(properties)


def _tests(scenario: Scenario) -> list[str]:
    stores = scenario.world.items()
    return [
        f"{name}/{test}" for name, store in stores if isinstance(store, RepositorySpec) for test in store.tests
    ]


def _check_looks(scenario: Scenario, family: Document) -> None:
    for index, call in enumerate(scenario.looks):
        for tool in call:
            if tool not in scenario.tools:
                what = f"there is no tool {tool!r}"
                raise _at(scenario, family, ["looks", index], what, nearest(tool, scenario.tools))


def _check_behaviour(scenario: Scenario, family: Document) -> None:
    behaviour, path = scenario.behaviour, ["behaviour"]
    labels = list(behaviour.choices)
    if behaviour.kind == "decision":
        if behaviour.marker is None:
            raise _at(scenario, family, [*path], "a decision needs a `marker`", 'add, say, `marker: "Decision:"`')
        if behaviour.when or behaviour.otherwise:
            raise _at(scenario, family, [*path], "a decision has no `when` and no `otherwise`", "leave them out")
        return
    if behaviour.marker is not None:
        raise behaviour.marker.error(f"a behaviour of kind {behaviour.kind!r} has no marker", "leave it out")
    if behaviour.kind == "judged":
        if behaviour.when or behaviour.otherwise:
            what = "a judge tells this behaviour: it has no `when` and no `otherwise`"
            raise _at(scenario, family, [*path], what, "leave them out")
        return
    for label in (*behaviour.when, *([behaviour.otherwise] if behaviour.otherwise else [])):
        if label not in labels:
            what = f"there is no choice {label!r}"
            raise _at(scenario, family, [*path, "when", label], what, nearest(label, labels))
    for label in labels:
        if label not in behaviour.when and label != behaviour.otherwise:
            what = f"nothing says when the label {label!r} was shown"
            raise _at(scenario, family, [*path, "choices", label], what, "add it to `when`, or as `otherwise`")
    for label, condition in behaviour.when.items():
        _check_condition(scenario, condition)
        for one in parts(condition):
            asks = [name for name in ("at", "called", "passes", "says") if getattr(one, name) is not None]
            if odd := set(asks) - _ASKS[behaviour.kind]:
                what = f"a behaviour of kind {behaviour.kind!r} can't ask `{odd.pop()}`"
                raise _at(scenario, family, [*path, "when", label], what, "the kind `end_state` can")


def _at(scenario: Scenario, family: Document, path: Sequence[Step], what: str, to_do: str = "") -> AuthoringError:
    """An error at `path` in the scenario's own file if it goes that far, else in its family's."""
    own = scenario.document
    for depth in range(len(path), 0, -1):
        for document in (own, family):
            if any(name == path[depth - 1] for name, _ in document.at(path[: depth - 1]).children()) and (
                depth == 1 or _reaches(document, path[: depth - 1])
            ):
                return document.error(document.key_at(path[:depth]), what, to_do)
    return own.error(own.root, what, to_do)


def _reaches(document: Document, path: Sequence[Step]) -> bool:
    node = document.root
    for step in path:
        found = next((child for name, child in node.children() if name == step), None)
        if found is None:
            return False
        node = found
    return True
