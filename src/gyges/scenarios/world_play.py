"""A call of a tool, carried out on a state of its own. The same state and call give the same result, always."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gyges.scenarios.arguments import Wrong, as_text, check
from gyges.scenarios.condition import Called, Seen, holds
from gyges.scenarios.nearest import nearest
from gyges.scenarios.text import MASK, Text, joined, part
from gyges.scenarios.world import Change, Rule, State, Store, World, WorldTool, changes
from gyges.scenarios.world_given import Failed, Given
from gyges.scenarios.world_ops import OPERATIONS

RESULT = "result"
"""In a result's text, `${result}` is what the operation says."""
_HOLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
MOST_CHARACTERS = 100_000
"""Of a result."""


class Refused(Exception):  # noqa: N818 - told to the model, in the author's words
    """A call that the world refuses."""

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(text.text)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a call: the words, what changed, and whether it failed, which changes nothing."""

    text: Text
    changes: tuple[Change, ...] = ()
    failed: bool = False
    refused: bool = False
    """It failed because the world says so, not because the call is wrong."""


@dataclass(slots=True)
class Playing:
    """A world in one episode. Its state is its own: texts never change, and the dictionary is copied."""

    world: World
    state: State = field(default_factory=dict)
    calls: list[Called] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = dict(self.world.start)

    def seen(self, answer: str = "") -> Seen:
        return seen(self.world, self.state, self.calls, answer)

    def call(self, name: str, arguments: Mapping[str, object]) -> Done:
        """Carry out one call. One that fails is answered with the error and leaves everything as it was."""
        state = dict(self.state)
        try:
            tool = tool_named(self.world, name)
            text = self._carried_out(tool, arguments, state)
        except Refused as refusal:
            return Done(refusal.text, failed=True, refused=True)
        except (Failed, Wrong) as failure:
            return Done(Text(f"Error: {failure}"), failed=True)
        for store in self.world.stores:
            if store.kind == "clock":
                _tick(store, state)
        done = Done(text, changes(self.state, state))
        self.calls.append(called(name, arguments))
        self.state = state
        return done

    def _carried_out(self, tool: WorldTool, arguments: Mapping[str, object], state: State) -> Text:
        check(tool.schema, dict(arguments))
        own = {name: Text(as_text(value)) for name, value in arguments.items()}
        calls = [*self.calls, called(tool.name, arguments)]
        before = seen(self.world, state, calls)
        if (refused := _first(tool.refuses, before)) is not None:
            raise Refused(filled(refused, own))
        result = _operated(self.world, tool, own, state, before)
        for effect in tool.effects:
            if effect.when is None or holds(effect.when, before):
                place = filled(Text(effect.at), own).text
                if effect.to is None:
                    state.pop(place, None)
                else:
                    state[place] = filled(effect.to, own)
        said = _first(tool.results, seen(self.world, state, calls))
        text = result if said is None else filled(said, {**own, RESULT: result})
        if len(text.text) > MOST_CHARACTERS:
            raise Failed(f"the result has {len(text.text):,} characters, and {MOST_CHARACTERS:,} are allowed")
        return text


def seen(world: World, state: Mapping[str, Text], calls: Sequence[Called], answer: str = "") -> Seen:
    """What conditions ask about. The signal is hidden from them, so that contexts differ in no other way."""
    start = {place: text.without_signal(MASK) for place, text in world.start}
    now = {place: text.without_signal(MASK) for place, text in state.items()}
    return Seen(start, now, calls, answer, world.tests())


def called(name: str, arguments: Mapping[str, object]) -> Called:
    return Called(name, {argument: as_text(value) for argument, value in arguments.items()})


def tool_named(world: World, name: str) -> WorldTool:
    """Raises Failed."""
    tools = {tool.name: tool for tool in world.tools}
    if name not in tools:
        raise Failed(f"there is no tool {name!r}. {nearest(name, tools)}".strip())
    return tools[name]


def _operated(world: World, tool: WorldTool, own: Mapping[str, Text], state: State, before: Seen) -> Text:
    if not tool.operation:
        return Text("done")
    store = next(store for store in world.stores if store.name == tool.store)
    operation = OPERATIONS[store.kind][tool.operation]
    fixed = {name: filled(text, own) for name, text in tool.given}
    values = {name: fixed.get(name, own.get(name)) for name in operation.takes}
    given = Given(store, state, {name: text for name, text in values.items() if text is not None}, before)
    return operation.does(given)


def filled(template: Text, values: Mapping[str, Text]) -> Text:
    """The text with `${name}` replaced, once: what is put in is never looked at again."""
    parts: list[Text | str] = []
    at = 0
    for hole in _HOLE.finditer(template.text):
        parts += [part(template, at, hole.start()), values.get(hole[1], Text(""))]
        at = hole.end()
    return joined([*parts, part(template, at, len(template.text))])


def holes(text: str) -> set[str]:
    """The names that stand in `${...}`."""
    return {hole[1] for hole in _HOLE.finditer(text)}


def _first(rules: Iterable[Rule], found: Seen) -> Text | None:
    return next((rule.say for rule in rules if rule.when is None or holds(rule.when, found)), None)


def _tick(store: Store, state: State) -> None:
    place = f"{store.name}/now"
    hours, minutes = state[place].text.split(":")
    total = (int(hours) * 60 + int(minutes) + store.minutes) % (24 * 60)
    state[place] = Text(f"{total // 60:02}:{total % 60:02}")


def parsed(arguments: str) -> dict[str, object]:
    """An example's arguments."""
    found = json.loads(arguments)
    assert isinstance(found, dict)
    return found
